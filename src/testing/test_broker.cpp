// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/test_broker.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <freshet/testing/failed.hpp>
#include <freshet/testing/server.hpp>

#include "base/quoted.hpp"
#include "base/type_text.hpp"
#include "broker/broker_core.hpp"
#include "testing/awaited.hpp"
#include "testing/faults.hpp"
#include "testing/quiet_log.hpp"
#include "testing/recorder.hpp"

namespace freshet::testing {

using detail::Awaited;
using detail::Faults;
using detail::Recorder;

namespace {

std::string list(const std::set<std::string>& names) {
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

class TestBroker::Impl {
public:
    Impl(Broker& tested, MemoryServer* memory, Server* server, const TestOptions& options)
        : broker{tested}, options_{options}, awaited_{tested.core()} {
        if (server == nullptr && memory == nullptr) memory = &own_memory_.emplace();
        memory_ = memory;
        server_ = server;
        if (memory_ != nullptr) faults_.emplace(*memory_);
        start();
    }
    Impl(Broker& tested, std::unique_ptr<Server> server, const TestOptions& options);
    ~Impl() { stop(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::size_t expect(std::string_view subject) {
        if (memory_ == nullptr) awaited_.expect(subject);
        return recorder->delivery_count();
    }

    void run() {
        if (memory_ == nullptr) return awaited_.wait(options_.patience);
        memory_->clock().run();
        if (recorder->all_settled()) return;
        memory_->clock().run_until(TimePoint::max(), [this] { return recorder->all_settled(); });
        memory_->clock().run();
    }

    void advance(std::chrono::nanoseconds by) {
        run();
        if (memory_ != nullptr) memory_->clock().advance(by);
        else std::this_thread::sleep_for(by);
        run();
    }

    void replace(const std::type_info& type, std::shared_ptr<void> object) {
        run();
        if (broker.core().provided(type) == nullptr)
            raise({Errc::bad_setup, fmt::format("replace: no object of the type {} was provided; call broker.provide "
                                                "before the TestBroker is made",
                                                detail::type_text(type.name()))});
        broker.core().replace(type, std::move(object));
    }

    Faults& faults(std::string_view what) {
        if (!faults_)
            raise({Errc::bad_setup,
                   fmt::format("{}: only a test in memory can do this, not one with a nats-server", what)});
        if (!std::exchange(intercepts_, true))
            memory_->intercept([this](const Passage& passage) { return faults_->fate_of(passage); });
        return *faults_;
    }

    void lose_connection() {
        run();
        if (memory_ != nullptr) memory_->interrupt();
        else server_->stop();
        run();
    }

    void restore_connection() {
        if (memory_ != nullptr) memory_->resume();
        else {
            server_->restart();
            await_connection(broker);
            await_connection(*client);
        }
        run();
    }

    /// Blocks until the server knows all subscriptions of a broker again.
    void await_connection(Broker& one) const {
        using SteadyClock = std::chrono::steady_clock;
        const auto deadline = SteadyClock::now() + options_.patience;
        while (true) {
            const auto back = one.link().transport().flush(std::chrono::seconds{1});
            if (back) return;
            if (SteadyClock::now() >= deadline) raise(back.error());
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }

    std::uint64_t random_faults(const RandomFaults& random) {
        const auto seed = faults("random_faults").randomize(random);
        recorder->fail_publications([this] { return faults_->fails_publication(); });
        return seed;
    }

    void stop_random_faults() {
        recorder->fail_publications({});
        if (faults_) faults_->stop();
    }

    std::optional<std::uint64_t> seed() const { return faults_ ? faults_->seed() : std::nullopt; }

    /// Returns the note of a failed comparison: `first`, then everything that the test itself did.
    std::string note(std::string first = {}) const {
        std::vector<std::string> notes;
        if (!first.empty()) notes.push_back(std::move(first));
        if (const auto used = seed()) notes.push_back(fmt::format("random faults of seed {}", *used));
        if (faults_) std::ranges::move(faults_->notes(), std::back_inserter(notes));
        std::ranges::move(recorder->notes(), std::back_inserter(notes));
        return fmt::format("{}", fmt::join(notes, "; "));
    }

    void clear() {
        recorder->clear();
        if (faults_) faults_->clear();
    }

    /// Returns the declared subjects of the broker's subscribers.
    std::set<std::string> subscribers() const {
        std::set<std::string> subjects;
        for (const auto& subscriber : broker.core().subscribers()) subjects.insert(subscriber->spec().subject);
        return subjects;
    }

    Broker& broker;
    std::unique_ptr<Broker> client = {};
    const std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();

private:
    void start();
    void stop() noexcept;
    TransportFactory transport_maker() const;

    TestOptions options_;
    std::optional<MemoryServer> own_memory_ = {};
    MemoryServer* memory_ = nullptr;
    std::unique_ptr<Server> own_server_ = {};
    Server* server_ = nullptr;
    std::optional<Faults> faults_ = {};
    bool intercepts_ = false;
    std::optional<detail::QuietLog> quiet_ = {};
    Awaited awaited_;
    const detail::FailureProbe probe_ = {};
};

TestBroker::Impl::Impl(Broker& tested, std::unique_ptr<Server> server, const TestOptions& options)
    : Impl{tested, nullptr, server.get(), options} {
    own_server_ = std::move(server);
}

TransportFactory TestBroker::Impl::transport_maker() const {
    if (memory_ != nullptr)
        return [memory = memory_](const BrokerOptions& options) { return memory->connect(options); };
    return [url = server_->url()](BrokerOptions options) {
        options.servers = {url};
        options.credentials = {};
        options.tls = {};
        return nats_transport(options);
    };
}

void TestBroker::Impl::start() {
    const auto make = transport_maker();
    const std::shared_ptr<Clock> clock = memory_ != nullptr ? memory_->shared_clock() : nullptr;
    auto& core = broker.core();
    if (memory_ == nullptr) {
        recorder->published_to = [this](std::string_view subject) { awaited_.expect(subject); };
        recorder->settled_by = [this](const detail::SubscriberCore& subscriber) { awaited_.settled(subscriber); };
    }
    if (core.link().options().logger == nullptr) quiet_.emplace(options_.log_level);
    core.prepare({.make_transport = [&](const BrokerOptions& options) { return record(make(options), recorder); },
                  .clock = clock,
                  .observer = recorder,
                  .threads = options_.threads || memory_ == nullptr,
                  .logger = quiet_ ? quiet_->logger() : nullptr});
    const auto& like = core.link().options();
    client = std::make_unique<Broker>(BrokerOptions{.servers = {"nats://127.0.0.1:4222"},
                                                    .name = "test",
                                                    .request_timeout = like.request_timeout,
                                                    .format = like.format,
                                                    .logger = detail::warnings_of(core.link().logger().native())},
                                      make);
    if (memory_ != nullptr) client->core().prepare({.clock = clock, .threads = false});
    client->start();
    broker.start();
    run();
}

void TestBroker::Impl::stop() noexcept {
    const bool failed = probe_.failed();
    if (const auto used = seed(); used && failed)
        std::fprintf(stderr, "freshet: random faults of seed %llu; FRESHET_SEED=%llu repeats them\n",
                     static_cast<unsigned long long>(*used), static_cast<unsigned long long>(*used));
    try {
        stop_random_faults();
        if (memory_ != nullptr) memory_->resume();
        if (intercepts_) memory_->intercept({});
        broker.stop();
        if (client != nullptr) client->stop();
    } catch (const std::exception& error) { std::fprintf(stderr, "freshet: TestBroker: %s\n", error.what()); }
    if (failed && quiet_) quiet_->show();
    recorder->published_to = nullptr;
    recorder->settled_by = nullptr;
}

TestBroker::TestBroker(Broker& broker, TestOptions options)
    : impl_{std::make_unique<Impl>(broker, nullptr, static_cast<Server*>(nullptr), options)} {}
TestBroker::TestBroker(Broker& broker, MemoryServer& server, TestOptions options)
    : impl_{std::make_unique<Impl>(broker, &server, static_cast<Server*>(nullptr), options)} {}
TestBroker::TestBroker(Broker& broker, WithServer, TestOptions options)
    : impl_{std::make_unique<Impl>(broker, std::make_unique<Server>(ServerOptions{.jetstream = true}), options)} {}
TestBroker::TestBroker(Broker& broker, Server& server, TestOptions options)
    : impl_{std::make_unique<Impl>(broker, nullptr, &server, options)} {}
TestBroker::~TestBroker() = default;

Broker& TestBroker::client() const noexcept { return *impl_->client; }
Broker& TestBroker::broker() const noexcept { return impl_->broker; }
void TestBroker::run() { impl_->run(); }
void TestBroker::advance(std::chrono::nanoseconds by) { impl_->advance(by); }
TimePoint TestBroker::now() const noexcept { return impl_->broker.link().clock().now(); }
std::size_t TestBroker::expect(std::string_view subject) { return impl_->expect(subject); }

Deliveries TestBroker::settled_since(std::size_t first, std::string_view subject) {
    run();
    auto deliveries = impl_->recorder->deliveries(first, {}, subject);
    std::string why;
    if (deliveries.empty())
        why = fmt::format("it was published on {}; the broker's subscribers: {}", subject, list(impl_->subscribers()));
    return {std::move(deliveries), impl_->note(std::move(why))};
}

Publications TestBroker::published(std::string_view pattern) const {
    const Subject wanted{pattern};
    const auto is_protocol = [](std::string_view subject) {
        return subject.starts_with('$') || subject.starts_with("_INBOX.");
    };
    std::vector<CapturedMessage> found;
    std::map<std::string, int> others;
    for (auto& message : impl_->recorder->publications()) {
        if (is_protocol(message.subject) && !is_protocol(pattern)) continue;
        if (wanted.matches(message.subject)) found.push_back(std::move(message));
        else ++others[message.subject];
    }
    std::string note;
    for (const auto& [subject, count] : others)
        note += fmt::format("{}{} ({})", note.empty() ? "published elsewhere: " : ", ", subject, count);
    return {std::move(found), impl_->note(std::move(note))};
}

Deliveries TestBroker::deliveries(std::string_view subscriber) const {
    auto found = impl_->recorder->deliveries(0, subscriber, {});
    const auto declared = impl_->subscribers();
    if (found.empty() && !subscriber.empty() && !declared.contains(std::string{subscriber}))
        raise({Errc::bad_setup,
               fmt::format("deliveries: no subscriber was declared with {}; the broker's subscribers: {}",
                           detail::quoted(subscriber), list(declared))});
    return {std::move(found), impl_->note()};
}

std::vector<Outcome> TestBroker::outcomes() const {
    std::vector<Outcome> outcomes;
    for (const auto& delivery : deliveries())
        if (delivery.settled) outcomes.push_back(delivery.outcome);
    return outcomes;
}

void TestBroker::clear() { impl_->clear(); }

void TestBroker::replace_erased(const std::type_info& type, std::shared_ptr<void> object) {
    impl_->replace(type, std::move(object));
}
void TestBroker::fail_next_erased(const std::type_info& type, std::exception_ptr exception) {
    impl_->recorder->fail_next(type, std::move(exception));
}
void TestBroker::fail_next_publish(std::string_view pattern, Errc code) {
    impl_->recorder->fail_next_publish(Subject{pattern}, code);
}
void TestBroker::duplicate_next(std::string_view pattern) {
    impl_->faults("duplicate_next").add(Subject{pattern}, {.copies = 2});
}
void TestBroker::delay_next(std::chrono::nanoseconds by, std::string_view pattern) {
    impl_->faults("delay_next").add(Subject{pattern}, {.delay = by});
}
void TestBroker::lose_next(std::string_view pattern) {
    impl_->faults("lose_next").add(Subject{pattern}, {.copies = 0});
}
void TestBroker::lose_connection() { impl_->lose_connection(); }
void TestBroker::restore_connection() { impl_->restore_connection(); }
void TestBroker::lose_subscriber(std::string_view subscriber) {
    const Error why{Errc::unauthorized,
                    "the server refused the subscription of " + detail::quoted(subscriber) + ": made so by the test"};
    bool found = false;
    for (const auto& each : impl_->broker.core().subscribers()) {
        if (each->spec().subject != subscriber) continue;
        each->on_lost(why);
        found = true;
    }
    if (!found)
        raise({Errc::bad_setup, fmt::format("lose_subscriber: no subscriber was declared with {}; the broker's "
                                            "subscribers: {}",
                                            detail::quoted(subscriber), list(impl_->subscribers()))});
    run();
}
std::uint64_t TestBroker::random_faults(const RandomFaults& faults) { return impl_->random_faults(faults); }
void TestBroker::stop_random_faults() { impl_->stop_random_faults(); }

}  // namespace freshet::testing
