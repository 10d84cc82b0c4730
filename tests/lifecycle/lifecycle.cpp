// SPDX-License-Identifier: Apache-2.0
#include "lifecycle.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <shared_mutex>
#include <span>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing/memory_server.hpp>
#include <freshet/testing/server.hpp>

#include "broker/broker_core.hpp"

namespace freshet::testing {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto longest_call = 60s;  // in real time; no call here has a deadline of more than a few seconds
constexpr auto stop_timeout = 3'000ms;
constexpr std::array<std::string_view, 4> words{"a", "b", "c", "d"};

/// Ends the process when a call does not come back.
class Watchdog {
public:
    explicit Watchdog(std::uint64_t seed)
        : seed_{seed}, thread_{[this](const std::stop_token& stop) { watch(stop); }} {}

    class Call {
    public:
        Call(Watchdog& dog, const char* what) : dog_{dog}, number_{dog.begin(what)} {}
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        ~Call() { dog_.end(number_); }

    private:
        Watchdog& dog_;
        std::uint64_t number_;
    };

private:
    struct Entry {
        const char* what;
        SteadyClock::time_point since;
    };

    std::uint64_t begin(const char* what) {
        const std::lock_guard lock{mutex_};
        calls_.emplace(++last_, Entry{what, SteadyClock::now()});
        return last_;
    }
    void end(std::uint64_t number) {
        const std::lock_guard lock{mutex_};
        calls_.erase(number);
    }
    void watch(const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        while (!changed_.wait_for(lock, stop, 500ms, [&] { return stop.stop_requested(); })) {
            for (const auto& [number, call] : calls_) {
                if (SteadyClock::now() - call.since < longest_call) continue;
                std::fprintf(stderr, "lifecycle: seed %llu: %s did not come back; also under way:",
                             static_cast<unsigned long long>(seed_), call.what);
                for (const auto& [other, also] : calls_) std::fprintf(stderr, " %s;", also.what);
                std::fprintf(stderr, "\n");
                std::abort();
            }
        }
    }

    const std::uint64_t seed_;
    std::mutex mutex_ = {};
    std::condition_variable_any changed_ = {};
    std::map<std::uint64_t, Entry> calls_ = {};
    std::uint64_t last_ = 0;
    std::jthread thread_;
};

/// What is counted and what is found wrong. Thread-safe.
class Notes {
public:
    void broken(std::string what) {
        const std::lock_guard lock{mutex_};
        if (broken_.size() < 20) broken_.push_back(std::move(what));
    }
    std::vector<std::string> taken() {
        const std::lock_guard lock{mutex_};
        return std::exchange(broken_, {});
    }
    void stored(std::string id) {
        const std::lock_guard lock{mutex_};
        stored_.insert(std::move(id));
    }
    void handled(std::string_view id) {
        const std::lock_guard lock{mutex_};
        handled_.emplace(id);
    }
    std::vector<std::string> lost() {
        const std::lock_guard lock{mutex_};
        std::vector<std::string> lost;
        std::ranges::set_difference(stored_, handled_, std::back_inserter(lost));
        return lost;
    }
    std::size_t stored_count() {
        const std::lock_guard lock{mutex_};
        return stored_.size();
    }

    std::atomic<std::uint64_t> brokers = 0;
    std::atomic<std::uint64_t> subscribers = 0;
    std::atomic<std::uint64_t> published = 0;
    std::atomic<std::uint64_t> handled_count = 0;
    std::atomic<std::uint64_t> requests = 0;

private:
    std::mutex mutex_ = {};
    std::vector<std::string> broken_ = {};
    std::set<std::string> stored_ = {};
    std::set<std::string, std::less<>> handled_ = {};
};

/// Every call of a function that is to be called exactly once.
class Once {
public:
    explicit Once(Notes& notes, const char* what) : notes_{notes}, what_{what} {}
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    ~Once() {
        if (calls_ != 1) notes_.broken(fmt::format("{} was called {} times", what_, calls_.load()));
    }
    void call() { ++calls_; }

private:
    Notes& notes_;
    const char* what_;
    std::atomic<int> calls_ = 0;
};

struct Citizen;

/// One subscriber of a citizen, as its handler sees it.
struct Trade {
    std::string what = {};
    std::atomic<std::uint64_t> entered = 0;
    std::atomic<std::uint64_t> late = 0;        // calls of the handler that began after a stop had returned
    std::atomic<bool> stopped = false;          // Subscriber::stop() has returned in time
    std::optional<Subscriber> subscriber = {};  // under the citizen's mutex
    std::size_t threads = 1;
};

/// One broker and what belongs to it. Calls hold `living` shared, the end of the broker alone.
struct Citizen {
    std::shared_mutex living = {};
    std::unique_ptr<Broker> broker = {};
    std::atomic<bool> asked = false;    // somebody has asked for the end
    std::atomic<bool> stopped = false;  // stop() has returned, outside of callbacks
    std::atomic<bool> clean = false;    // ... and said true
    std::mutex mutex = {};
    std::vector<std::shared_ptr<Trade>> trades = {};
    std::vector<std::unique_ptr<MessageStream>> streams = {};
};

thread_local int depth = 0;  // handlers and callbacks that this thread is inside of

}  // namespace

std::size_t thread_count() {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// Where brokers live: a server, kept from run to run.
class Lifecycle::Place {
public:
    explicit Place(Ground ground) : ground_{ground} {
        if (ground == Ground::nats) {
            server_.emplace(ServerOptions{
                .config = "authorization { users = [ { user: u, password: p, permissions: { publish: { "
                          "deny: [\"deny.>\"] }, subscribe: { deny: [\"deny.>\"] } } } ] }\n",
                .jetstream = true});
        }
    }

    Ground ground() const noexcept { return ground_; }
    Server& server() { return *server_; }
    MemoryServer& memory() { return *memory_; }
    /// A new server in memory for each run: its clock begins anew.
    void begin() {
        if (ground_ == Ground::memory) memory_.emplace();
    }
    void end() { memory_.reset(); }

private:
    const Ground ground_;
    std::optional<Server> server_ = {};
    std::optional<MemoryServer> memory_ = {};
};

namespace {

/// One run: the town in which the actors act.
template <class Place>
class Town {
public:
    Town(Place& place, const LifecycleOptions& options)
        : place_{place}, options_{options}, dog_{options.seed}, prefix_{fmt::format("s{}", options.seed)} {}

    LifecycleReport run() {
        prepare_stream();
        std::vector<std::jthread> actors;
        for (int i = 0; i < options_.actors; ++i)
            actors.emplace_back([this, i] { act(options_.seed * 1'000 + static_cast<std::uint64_t>(i)); });
        while (acting_ > 0) {
            restart_if_wanted();
            std::this_thread::sleep_for(1ms);
        }
        actors.clear();
        heal();
        end_all();
        drain_stream();
        return {.broken = notes_.taken(),
                .brokers = notes_.brokers,
                .subscribers = notes_.subscribers,
                .published = notes_.published,
                .handled = notes_.handled_count,
                .requests = notes_.requests,
                .stored = notes_.stored_count()};
    }

private:
    using Random = std::mt19937_64;
    using Shared = std::shared_ptr<Citizen>;

    static std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }
    static bool chance(Random& random, unsigned percent) { return random() % 100 < percent; }

    // --- Brokers -----------------------------------------------------------------------------------------------------

    std::unique_ptr<Broker> make_broker() {
        static const auto silent =
            std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
        BrokerOptions options{.servers = {"nats://127.0.0.1:4222"},
                              .connect_timeout = 1'000ms,
                              .start_timeout = 2'000ms,
                              .stop_timeout = stop_timeout,
                              .request_timeout = 200ms,
                              .logger = silent};
        options.reconnect.min_wait = 5ms;
        options.reconnect.max_wait = 20ms;
        if (place_.ground() == Ground::nats) options.servers = {place_.server().url("u", "p")};
        options.on_event = [this](const ConnectionEvent&) { ++events_; };
        auto broker = std::make_unique<Broker>(std::move(options));
        if (place_.ground() == Ground::memory)
            broker->core().prepare(
                {.make_transport = [this](const BrokerOptions& o) { return place_.memory().connect(o); },
                 .clock = place_.memory().shared_clock()});
        ++notes_.brokers;
        return broker;
    }

    Shared new_citizen() {
        auto citizen = std::make_shared<Citizen>();
        citizen->broker = make_broker();
        const std::lock_guard lock{mutex_};
        citizens_.push_back(citizen);
        return citizen;
    }

    Shared any_citizen(Random& random) {
        const std::lock_guard lock{mutex_};
        return citizens_.empty() ? nullptr : citizens_[below(random, citizens_.size())];
    }

    void start(Citizen& citizen) {
        const std::shared_lock living{citizen.living, std::try_to_lock};
        if (!living || citizen.broker == nullptr) return;
        const Watchdog::Call call{dog_, "start"};
        try {
            citizen.broker->start();
        } catch (const Error&) {}  // started, stopped, or no server at this moment
    }

    void stop(Citizen& citizen, std::chrono::milliseconds timeout) {
        const std::shared_lock living{citizen.living, std::try_to_lock};
        if (!living || citizen.broker == nullptr) return;
        const Watchdog::Call call{dog_, "stop"};
        const bool first = !citizen.asked.exchange(true);
        const bool all = citizen.broker->stop(timeout);
        if (depth > 0) return;  // it has begun only
        if (all) citizen.clean = true;
        if (first) citizen.stopped = true;  // the first stop's time is the one that counts
    }

    void destroy(const Shared& citizen) {
        std::unique_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr || depth > 0) return;
        const Watchdog::Call call{dog_, "the destructor of a broker"};
        {
            const std::lock_guard lock{citizen->mutex};
            if (!citizen->streams.empty()) citizen->streams.clear();
        }
        citizen->broker.reset();
        citizen->clean = true;
        citizen->stopped = true;
        const std::lock_guard lock{mutex_};
        std::erase(citizens_, citizen);
        gone_.push_back(citizen);
    }

    // --- Subscribers -------------------------------------------------------------------------------------------------

    std::string subject(Random& random) { return fmt::format("{}.t.{}", prefix_, words[below(random, words.size())]); }

    void declare(const Shared& citizen, Random& random) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr) return;
        const Watchdog::Call call{dog_, "declaring a subscriber"};
        auto trade = std::make_shared<Trade>();
        auto& broker = *citizen->broker;
        const auto handler = [this, citizen = std::weak_ptr{citizen}, trade, seed = random()](
                                 const Message& message) mutable { return handle(citizen, *trade, message, seed); };
        try {
            std::optional<Subscriber> made;
            switch (below(random, 10)) {
                case 0:
                case 1: made = broker.subscriber(subject(random)).handle(handler); break;
                case 2: made = broker.subscriber(subject(random), {.dedicated = true}).handle(handler); break;
                case 3:
                    trade->threads = 3;
                    made = broker.subscriber(subject(random), {.queue = "q", .workers = 3}).handle(handler);
                    break;
                case 4:
                    trade->threads = 2;
                    made = broker
                               .subscriber(prefix_ + ".t.{word}",
                                           {.workers = 2, .ordered_by = "word", .max_pending_messages = 50})
                               .handle(handler);
                    break;
                case 5:
                    trade->threads = 2;
                    made =
                        broker
                            .subscriber(subject(random), {.workers = 2,
                                                          .max_pending_messages = 100,
                                                          .batch = {.size = 5, .within = 20ms}})
                            .handle([this, citizen = std::weak_ptr{citizen}, trade](std::span<const std::string> all) {
                                enter(citizen, *trade, all.size());
                            });
                    break;
                case 6:
                    made = broker.subscriber(subject(random), {.max_messages = 1 + below(random, 20)}).handle(handler);
                    break;
                case 7: made = broker.subscriber("deny.x").handle(handler); break;
                default: made = declare_stored(broker, citizen, trade, random); break;
            }
            ++notes_.subscribers;
            const std::lock_guard lock{citizen->mutex};
            trade->what = std::string{made->subject()};
            trade->subscriber = *made;
            citizen->trades.push_back(trade);
        } catch (const Error&) {}  // stopped, refused, no server
    }

    Subscriber declare_stored(Broker& broker, const Shared& citizen, const std::shared_ptr<Trade>& trade,
                              Random& random) {
        const auto stored = [this, citizen = std::weak_ptr{citizen}, trade,
                             seed = random()](const Message& message) mutable {
            Random inner{seed++};
            enter(citizen, *trade, 1);
            if (chance(inner, 10)) throw std::runtime_error{"planted"};
            if (chance(inner, 5)) throw Nack{};
            notes_.handled(message.text());
        };
        const js::Retry retry{.backoff = {5ms}};
        const auto workers = 1 + below(random, 3);
        trade->threads = workers;
        if (chance(random, 20))
            return broker.subscriber(prefix_ + ".js.>", js::Ordered{.stream = "S_" + prefix_})
                .handle([this, citizen = std::weak_ptr{citizen}, trade](const Message&) { enter(citizen, *trade, 1); });
        if (chance(random, 20))
            return broker
                .subscriber(prefix_ + ".js.>", js::Push{.stream = "S_" + prefix_,
                                                        .durable = "push",
                                                        .queue = "push",
                                                        .workers = workers,
                                                        .retry = retry})
                .handle([this, citizen = std::weak_ptr{citizen}, trade](const Message&) { enter(citizen, *trade, 1); });
        return broker
            .subscriber(prefix_ + ".js.>",
                        js::Pull{.stream = "S_" + prefix_, .durable = "pull", .workers = workers, .retry = retry})
            .handle(stored);
    }

    void open_stream(const Shared& citizen, Random& random) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr) return;
        const Watchdog::Call call{dog_, "opening a message stream"};
        try {
            auto stream = std::make_unique<MessageStream>(citizen->broker->subscriber(subject(random)).messages());
            const std::lock_guard lock{citizen->mutex};
            citizen->streams.push_back(std::move(stream));
        } catch (const Error&) {}
    }

    void read_stream(const Shared& citizen, Random& random) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr) return;
        std::unique_ptr<MessageStream> stream;
        {
            const std::lock_guard lock{citizen->mutex};
            if (citizen->streams.empty()) return;
            std::swap(citizen->streams[below(random, citizen->streams.size())], citizen->streams.back());
            stream = std::move(citizen->streams.back());
            citizen->streams.pop_back();
        }
        {
            const Watchdog::Call call{dog_, "MessageStream::next"};
            for (int i = 0; i < 3 && stream->next(10ms); ++i) {}
        }
        const Watchdog::Call call{dog_, "the end of a message stream"};
        if (chance(random, 50)) stream.reset();
        else {
            const std::lock_guard lock{citizen->mutex};
            citizen->streams.push_back(std::move(stream));
        }
    }

    void stop_subscriber(Citizen& citizen, Random& random) {
        std::shared_ptr<Trade> trade;
        std::optional<Subscriber> subscriber;
        {
            const std::lock_guard lock{citizen.mutex};
            if (citizen.trades.empty()) return;
            trade = citizen.trades[below(random, citizen.trades.size())];
            subscriber = trade->subscriber;
        }
        const Watchdog::Call call{dog_, "Subscriber::stop"};
        const auto begin = SteadyClock::now();
        subscriber->stop();
        if (depth == 0 && place_.ground() == Ground::nats && SteadyClock::now() - begin < stop_timeout / 2)
            trade->stopped = true;
    }

    // --- Handlers ----------------------------------------------------------------------------------------------------

    void enter(const std::weak_ptr<Citizen>& weak, Trade& trade, std::size_t messages) {
        notes_.handled_count += messages;
        trade.entered += messages;
        const auto citizen = weak.lock();
        if (citizen == nullptr) return;
        if (citizen->clean) notes_.broken(fmt::format("a handler of {} ran after stop() had said true", trade.what));
        else if (trade.stopped) notes_.broken(fmt::format("a handler of {} ran after Subscriber::stop()", trade.what));
        // A handler that freshet had called when the stop gave up is let finish: one for each thread.
        else if (citizen->stopped && ++trade.late > trade.threads + 1)
            notes_.broken(fmt::format("handlers of {} ran {} times after stop() had said false", trade.what,
                                      trade.late.load()));
    }

    std::optional<std::string> handle(const std::weak_ptr<Citizen>& weak, Trade& trade, const Message& message,
                                      std::uint64_t& seed) {
        std::uint64_t mine = 0;
        {
            const std::lock_guard lock{mutex_};
            mine = ++seed;
        }
        Random random{mine};
        enter(weak, trade, 1);
        ++depth;
        struct Leave {
            ~Leave() { --depth; }
        } const leave;
        const auto citizen = weak.lock();
        if (citizen != nullptr && !winding_down_) {
            switch (below(random, 40)) {
                case 0: stop_subscriber(*citizen, random); break;
                case 1: stop(*citizen, 1s); break;
                case 2: declare(citizen, random); break;
                case 3: ask(citizen, random); break;
                case 4: publish(citizen, random); break;
                case 5: throw std::runtime_error{"planted"};
                case 6: throw 42;
                case 7: throw Nack{};
                case 8: throw Reject{"planted"};
                case 9: throw Skip{};
                case 10: throw Ack{};
                case 11: std::this_thread::sleep_for(1ms); break;
                case 12: std::this_thread::sleep_for(10ms); break;
                case 13:
                    if (chance(random, 20)) {
                        citizen->asked = true;
                        throw ExitApp{3};
                    }
                    break;
                case 14:
                    if (const auto other = any_citizen(random)) stop(*other, 0ms);
                    break;
                case 15:
                    if (const auto other = any_citizen(random); other != citizen) destroy(other);
                    break;
                default: break;
            }
        }
        return message.reply_to().empty() ? std::nullopt : std::optional{std::string{"done"}};
    }

    // --- Sending -----------------------------------------------------------------------------------------------------

    void publish(const Shared& citizen, Random& random) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr) return;
        const Watchdog::Call call{dog_, "publish"};
        const auto count = 1 + below(random, 20);
        for (std::size_t i = 0; i < count; ++i)
            notes_.published +=
                citizen->broker->try_publish(subject(random), std::string_view{"x"}).has_value() ? 1 : 0;
        if (chance(random, 5)) std::ignore = citizen->broker->try_publish("deny.x", std::string_view{"x"});
    }

    void store(const Shared& citizen) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr || depth > 0) return;
        const Watchdog::Call call{dog_, "js publish"};
        std::string id;
        {
            const std::lock_guard lock{mutex_};
            id = std::to_string(++last_id_);
        }
        const auto ack = citizen->broker->jetstream({.timeout = 500ms})
                             .try_publish(fmt::format("{}.js.{}", prefix_, id), std::string_view{id}, {.id = id});
        if (ack) notes_.stored(id);
    }

    void ask(const Shared& citizen, Random& random) {
        const std::shared_lock living{citizen->living, std::try_to_lock};
        if (!living || citizen->broker == nullptr) return;
        auto& broker = *citizen->broker;
        ++notes_.requests;
        switch (below(random, 3)) {
            case 0: {
                const Watchdog::Call call{dog_, "request"};
                std::ignore = broker.try_request<Message>(subject(random), std::string_view{"?"}, {.timeout = 50ms});
                break;
            }
            case 1: {
                const Watchdog::Call call{dog_, "async"};
                auto once = std::make_shared<Once>(notes_, "the function given to async");
                broker.client<Message(const std::string&)>(subject(random), {.timeout = 50ms})
                    .async(std::string{"?"}, [this, once, publishes = chance(random, 30),
                                              weak = std::weak_ptr{citizen}](const Expected<Message>&) {
                        once->call();
                        ++depth;
                        if (const auto alive = weak.lock(); publishes && alive != nullptr) {
                            Random inner{last_id_.load()};
                            publish(alive, inner);
                        }
                        --depth;
                    });
                break;
            }
            default: {
                const Watchdog::Call call{dog_, "request_many"};
                try {
                    auto replies = broker.request_many<Message>(subject(random), std::string_view{"?"},
                                                                {.timeout = 40ms, .stall = 10ms});
                    while (replies.next()) {}
                } catch (const Error&) {}
            }
        }
    }

    // --- The world ---------------------------------------------------------------------------------------------------

    void disturb(Random& random) {
        const std::unique_lock alone{disturbing_, std::try_to_lock};
        if (!alone) return;
        if (place_.ground() == Ground::memory) {
            place_.memory().interrupt();
            std::this_thread::sleep_for(std::chrono::milliseconds{below(random, 5)});
            place_.memory().resume();
        } else if (chance(random, 20)) {
            restart_wanted_ = true;
        }
    }

    /// In the thread of the run: a server ends with the thread that started it.
    void restart_if_wanted() {
        if (!restart_wanted_.exchange(false)) return;
        const Watchdog::Call call{dog_, "a restart of the server"};
        place_.server().restart();
    }

    void heal() {
        const std::lock_guard alone{disturbing_};
        if (place_.ground() == Ground::memory) place_.memory().resume();
    }

    void act(std::uint64_t seed) {
        live(seed);
        --acting_;
    }

    void live(std::uint64_t seed) {
        Random random{seed};
        for (int step = 0; step < options_.steps; ++step) {
            auto citizen = any_citizen(random);
            if (citizen == nullptr || chance(random, 6)) {
                citizen = new_citizen();
                for (std::size_t i = below(random, 4); i > 0; --i) declare(citizen, random);
                if (chance(random, 80)) start(*citizen);
                continue;
            }
            switch (below(random, 24)) {
                case 0: start(*citizen); break;
                case 1: stop(*citizen, 0ms); break;
                case 2: stop(*citizen, std::chrono::milliseconds{below(random, 50)}); break;
                case 3:
                    if (chance(random, 30)) stop(*citizen, stop_timeout);
                    break;
                case 4:
                    if (chance(random, 50)) destroy(citizen);
                    break;
                case 5:
                case 6: declare(citizen, random); break;
                case 7: stop_subscriber(*citizen, random); break;
                case 8: open_stream(citizen, random); break;
                case 9: read_stream(citizen, random); break;
                case 10: disturb(random); break;
                case 11:
                case 12:
                case 13: ask(citizen, random); break;
                case 14:
                case 15:
                case 16:
                case 17: store(citizen); break;
                default: publish(citizen, random); break;
            }
        }
    }

    void end_all() {
        winding_down_ = true;
        Random random{options_.seed};
        while (const auto citizen = any_citizen(random)) {
            if (chance(random, 50)) stop(*citizen, chance(random, 50) ? 0ms : stop_timeout);
            destroy(citizen);
        }
        for (const auto& citizen : gone_) check(*citizen);
        const std::lock_guard lock{mutex_};
        gone_.clear();
    }

    void check(Citizen& citizen) {
        const std::lock_guard lock{citizen.mutex};
        for (const auto& trade : citizen.trades) {
            const auto stats = trade->subscriber->stats();
            if (stats.pending != 0)
                notes_.broken(fmt::format("{} has {} messages pending after its broker's end", trade->what,
                                          stats.pending));
            if (stats.received - stats.rejected < trade->entered)
                notes_.broken(fmt::format("{} counts {} received, {} rejected, but {} were handled", trade->what,
                                          stats.received, stats.rejected, trade->entered.load()));
        }
        for (const auto& trade : citizen.trades) trade->subscriber.reset();  // its handler refers to the trade
        citizen.trades.clear();
    }

    void prepare_stream() {
        const auto broker = make_broker();
        broker->start();
        broker->jetstream().declare({.name = "S_" + prefix_, .subjects = std::vector<std::string>{prefix_ + ".js.>"}});
        broker->stop();
    }

    /// What the stream still has is handled by a broker that nobody disturbs; then nothing that was acknowledged may be
    /// missing.
    void drain_stream() {
        const auto broker = make_broker();
        const Watchdog::Call call{dog_, "the last drain of the stream"};
        broker
            ->subscriber(prefix_ + ".js.>",
                         js::Pull{.stream = "S_" + prefix_, .durable = "pull", .retry = {.backoff = {}}})
            .handle([this](const Message& message) { notes_.handled(message.text()); });
        broker->start();
        const auto deadline = broker->core().link().clock().now() + 90s;  // longer than ack_wait
        while (!notes_.lost().empty() && broker->core().link().clock().now() < deadline) {
            if (place_.ground() == Ground::memory) place_.memory().clock().advance(1s);
            else std::this_thread::sleep_for(10ms);
        }
        for (const auto& id : notes_.lost()) notes_.broken(fmt::format("message {} was acknowledged and is lost", id));
        broker->jetstream().stream("S_" + prefix_).remove();
        broker->stop();
    }

    Place& place_;
    const LifecycleOptions options_;
    Notes notes_ = {};
    Watchdog dog_;
    const std::string prefix_;
    std::mutex mutex_ = {};
    std::mutex disturbing_ = {};
    std::vector<Shared> citizens_ = {};
    std::vector<Shared> gone_ = {};
    std::atomic<std::uint64_t> last_id_ = 0;
    std::atomic<std::uint64_t> events_ = 0;
    std::atomic<bool> winding_down_ = false;
    std::atomic<bool> restart_wanted_ = false;
    std::atomic<int> acting_ = options_.actors;
};

}  // namespace

Lifecycle::Lifecycle(Ground ground) : place_{std::make_unique<Place>(ground)} {}
Lifecycle::~Lifecycle() = default;

LifecycleReport Lifecycle::run(const LifecycleOptions& options) {
    place_->begin();
    LifecycleReport report;
    {
        Town<Place> town{*place_, options};
        report = town.run();
    }
    place_->end();
    return report;
}

}  // namespace freshet::testing
