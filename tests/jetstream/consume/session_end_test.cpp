// SPDX-License-Identifier: Apache-2.0
// The last calls of a JetStream subscriber: afterwards the broker may be gone.
#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/js/ordered.hpp>
#include <freshet/js/pull.hpp>
#include <freshet/js/push.hpp>
#include <freshet/kv/watch.hpp>
#include <freshet/subject.hpp>

#include "../../support/wait.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/feed.hpp"
#include "jetstream/consume/pull_policy.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using freshet::testing::eventually;

namespace {

/// What the transport of a test does, and what it was told.
struct Script {
    std::function<void(const Publication&)> on_publish = {};
    std::shared_ptr<MessageSink> sink = {};
};

class ScriptedTransport final : public Transport {
public:
    explicit ScriptedTransport(Script& script) : script_{script} {}

    Expected<void> open(std::chrono::milliseconds, EventSink) override { return {}; }
    Expected<void> publish(const Publication& publication) override {
        if (script_.on_publish) script_.on_publish(publication);
        return {};
    }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec&,
                                                               std::shared_ptr<MessageSink> sink) override {
        script_.sink = std::move(sink);
        return std::make_unique<Subscription>();
    }
    Expected<void> flush(std::chrono::milliseconds) override { return {}; }
    bool drain_deliveries(std::chrono::milliseconds) override { return true; }
    void close(std::chrono::milliseconds) override {}
    ServerInfo server() const override { return {}; }
    TransportStats stats() const override { return {}; }

private:
    class Subscription final : public TransportSubscription {
    public:
        void drain(std::chrono::milliseconds) override {}
        Expected<void> auto_unsubscribe(std::uint64_t) override { return {}; }
        std::size_t pending() const override { return 0; }
        std::uint64_t dropped() const override { return 0; }
    };

    Script& script_;
};

class Owner final : public SessionOwner {
public:
    Expected<DeliveryTarget> declare() override { return DeliveryTarget{.consumer = "ORDERS.billing"}; }
    void on_message(Message, const Metadata&) noexcept override {}
    void on_end() noexcept override { ended = true; }

    std::atomic<bool> ended = false;
};

/// A sink that notes its end in a list of what happened.
class NotingSink final : public MessageSink {
public:
    explicit NotingSink(std::vector<std::string>& notes) : notes_{notes} {}
    void on_message(Message) noexcept override {}
    void on_end() noexcept override { notes_.emplace_back("end"); }

private:
    std::vector<std::string>& notes_;
};

struct Fixture {
    Script script = {};
    Link link{{}, [this](const BrokerOptions&) { return std::make_unique<ScriptedTransport>(script); }};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a session does not end before its recovery uses the connection no more") {
    link.open();
    const auto api = std::make_shared<const JsApi>(link, js::ContextOptions{});
    const auto owner = std::make_shared<Owner>();
    const auto session = std::make_shared<ConsumerSession>(api, "the consumer", PullPolicy::make(*api, {}));
    REQUIRE(session->start(owner));

    std::atomic<bool> sending = false;
    std::binary_semaphore sent{0};
    script.on_publish = [&](const Publication&) {
        sending = true;
        sent.acquire();
    };
    session->on_connection(ConnectionChange::back);  // the recovery asks for messages again
    REQUIRE(eventually([&] { return sending.load(); }));
    script.sink->on_end();
    CHECK_FALSE(owner->ended);
    sent.release();
    CHECK(eventually([&] { return owner->ended.load(); }));
    link.stop_timers();
}

TEST_CASE_METHOD(Fixture,
                 "a source that was stopped before it began, or fails to begin, does not keep its subscriber") {
    const bool stopped = GENERATE(false, true);
    const auto kind = GENERATE(0, 1, 2, 3);
    CAPTURE(stopped, kind);
    SourceSpec made;
    if (kind == 0) made = js::make_source(js::Pull{.stream = "ORDERS", .durable = "billing"});
    if (kind == 1) made = js::make_source(js::Push{.stream = "ORDERS", .durable = "billing"});
    if (kind == 2) made = js::make_source(js::Ordered{.stream = "ORDERS"});
    if (kind == 3) made = kv::make_source(kv::Watch{.bucket = "texts"});
    std::vector<std::string> notes;
    auto sink = std::make_shared<NotingSink>(notes);
    const std::weak_ptr kept{sink};
    if (stopped) made.source->stop(0ms);
    const auto started = made.source->start(link, value_or_raise(Subject::parse("orders.>")), std::move(sink));
    REQUIRE_FALSE(started);  // the link is not open
    CHECK(started.error().code() == Errc::closed);
    CHECK(kept.expired());
    CHECK(notes.empty());
}

TEST_CASE_METHOD(Fixture, "the end of its sink is the last that a feed does") {
    std::vector<std::string> notes;
    const auto feed = std::make_shared<Feed>(link, Settlement{AckPolicy::nack_on_error, {}}, "the consumer",
                                             std::make_shared<NotingSink>(notes),
                                             Feed::Calls{.done = [&] { notes.emplace_back("done"); }});
    feed->end();
    CHECK(notes == std::vector<std::string>{"done", "end"});
}
