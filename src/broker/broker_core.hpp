// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/clock.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/detail/layer.hpp>
#include <freshet/logger.hpp>
#include <freshet/options.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

#include "delivery/consumer.hpp"
#include "delivery/delivery_observer.hpp"
#include "link/broker_clock.hpp"
#include "link/connection_watcher.hpp"
#include "link/request_mux.hpp"

namespace freshet::detail {

inline constexpr std::string_view correlation_header = "correlation_id";

/// What a longer timeout counts as, so that adding it to a time does not overflow.
inline constexpr std::chrono::milliseconds longest_timeout{std::chrono::hours{24 * 365}};

/// A broker without types: its life (idle, running, stopping, stopped), its subscribers, what it sends and asks.
class BrokerCore final : public Registry {
public:
    using MakeTransport = std::function<std::unique_ptr<Transport>(const BrokerOptions&)>;

    BrokerCore(Broker& owner, BrokerOptions options, MakeTransport make_transport);
    /// Stops, and waits for handlers that still run, however long they take.
    ~BrokerCore();

    /// What a test puts in the place of the network and of time.
    struct TestSetup {
        MakeTransport make_transport = {};
        std::shared_ptr<Clock> clock = {};  // null: the system's
        std::shared_ptr<DeliveryObserver> observer = {};
        bool threads = true;  // false: subscribers with workers and dedicated ones run in the transport's thread too
    };
    /// Before start().
    void prepare(TestSetup setup);
    /// Provides another object, also to subscribers that run; no handler may run meanwhile.
    void replace(const std::type_info& type, std::shared_ptr<void> object);
    std::vector<std::shared_ptr<Consumer>> consumers() const;
    DeliveryObserver* observer() const noexcept { return observer_.get(); }
    bool threads() const noexcept { return threads_; }

    void start();
    /// Blocks, unless called inside a callback.
    bool stop(std::chrono::milliseconds timeout);
    /// Ends a start() that waits for a server; does nothing otherwise.
    void cut_start_short() noexcept;
    /// What a handler that throws ExitApp wants: whoever runs the broker decides, else it stops. Set while nothing runs.
    void on_exit(std::function<void(int)> action) noexcept { on_exit_ = std::move(action); }
    void exit(int code) noexcept;
    std::stop_token stop_token() const noexcept { return stop_source_.get_token(); }

    std::uint64_t begin(const std::string& subject) override;
    std::shared_ptr<Consumer> add(SubscriberSpec spec) override;
    void provide(const std::type_info& type, std::shared_ptr<void> object);
    void* provided(const std::type_info& type) const;
    /// Puts a function's stand-in, a Replacement, where Depends asks for it.
    void override_dependency(const void* key, std::shared_ptr<const void> replacement);
    const void* replacement(const void* key) const noexcept;
    void include(std::shared_ptr<RouterNode> router);
    /// What is around every handler and publication. To be changed before start() only: `what` wants to.
    Layer& change_layer(const char* what);
    std::shared_ptr<const Layer> layer() const noexcept { return layer_; }
    /// A subscriber has publish middlewares.
    void expect_publish_steps() noexcept { around_publications_.store(true, std::memory_order_relaxed); }

    /// Sends a message whose subject has been checked, with the headers it needs beside its own. What sending throws is the
    /// error.
    Expected<void> send(const Publication& publication, std::string_view content_type,
                        Outgoing::Kind kind = Outgoing::Kind::event) noexcept;
    /// The same, past the middlewares.
    Expected<void> send_enveloped(const Publication& publication, std::string_view content_type);
    Expected<void> publish(std::string_view subject, const Encoded& encoded, const PublishOptions& options);
    Expected<Message> request(std::string_view subject, const Encoded& encoded, const RequestOptions& options);
    void request_async(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                       ReplyHandler handler);
    /// The same on a subject that has been checked; `sink` gets the answer, and must live until its end. Fails before there is a request:
    /// then the sink is not called.
    Expected<void> request_into(ReplySink& sink, std::string_view subject, const Encoded& encoded,
                                const RequestOptions& options);
    std::unique_ptr<ReplyQueue> request_many(std::string_view subject, const Encoded& encoded,
                                             const RequestManyOptions& options);

    /// The correlation id of the delivery that this thread handles; empty: none.
    static std::string_view correlation_in_scope();

    void report_slow_consumer(const Consumer& consumer) noexcept;

    /// Tells `watcher` of the connection's losses and returns as long as it lives.
    void watch(std::weak_ptr<ConnectionWatcher> watcher);

    std::chrono::nanoseconds ping(std::chrono::milliseconds timeout);
    /// Whether the stop left nothing unhandled.
    bool drained() const;
    bool running() const noexcept { return state_.load(std::memory_order_acquire) == State::running; }
    ServerInfo server() const;
    BrokerStats stats() const;
    Broker& owner() const noexcept { return *owner_; }
    Logger& logger() noexcept { return logger_; }
    Clock& clock() const noexcept { return *clock_; }
    std::shared_ptr<Clock> shared_clock() const noexcept { return clock_; }
    const BrokerOptions& options() const noexcept { return options_; }
    Transport* transport() const noexcept { return transport_.get(); }

private:
    enum class State : std::uint8_t {
        idle,
        connecting,
        subscribing,  // messages are handled, and handlers publish
        running,
        stopping,
        stopped,
    };

    /// A subscriber that is being declared, and by which thread.
    struct Draft {
        std::string subject;
        std::thread::id thread;
    };

    void bind_all();
    /// What this thread has begun to declare and never finished. Another thread may be about to.
    std::vector<std::string> forgotten() const;
    void start_all();
    void undo_start() noexcept;
    void start_now(const std::shared_ptr<Consumer>& consumer);
    bool is_live() const noexcept { return state_ == State::subscribing || state_ == State::running; }
    Expected<void> open_inbox();
    bool hurries_request() const;
    void forget_finished();
    void begin_stop(std::chrono::milliseconds timeout);
    void start_stopper(std::chrono::milliseconds timeout);
    void wind_down(std::chrono::milliseconds timeout);
    void settle(bool drained);
    void on_event(const ConnectionEvent& event) noexcept;
    void tell_watchers(bool up) noexcept;
    /// Ends run() when nothing will ever come again.
    void end_if_lost() noexcept;
    /// Whether messages can leave: while running, and while handlers finish during a stop.
    bool is_open() const noexcept;
    /// Why is_open() is false.
    Error not_open(std::string_view what, std::string_view subject) const;
    std::chrono::milliseconds timeout_or_default(std::chrono::milliseconds timeout) const noexcept;
    /// Those that a publication of this thread passes: of the delivery that it handles, else the broker's.
    std::span<PublishStep* const> publish_steps() const noexcept;
    Expected<void> send_around(const Publication& publication, std::string_view content_type, Outgoing::Kind kind);
    /// Opens a ticket, then sends the request, on a subject that has been checked. What it throws it throws before there is a
    /// ticket.
    template <class Options, class Open>
    Expected<RequestMux::Ticket> ask(std::string_view subject, const Encoded& encoded, const Options& options,
                                     Open&& open);

    Broker* owner_;
    BrokerOptions options_;
    Logger logger_;
    std::shared_ptr<BrokerClock> clock_;
    std::unique_ptr<Transport> transport_;
    RequestMux mux_;
    std::unique_ptr<TransportSubscription> inbox_ = {};
    std::mutex inbox_mutex_ = {};
    std::atomic<bool> inbox_open_ = false;

    std::shared_ptr<DeliveryObserver> observer_ = {};
    bool threads_ = true;

    std::function<void(int)> on_exit_ = {};
    std::stop_source stop_source_ = {};
    std::atomic<State> state_ = State::idle;
    mutable std::mutex mutex_ = {};         // consumers_, drafts_, provided_, changes of state_ and the next three
    std::condition_variable changed_ = {};  // state_
    bool stop_wanted_ = false;
    bool undoing_ = false;  // start() has failed
    bool lost_ = false;     // the connection was closed, and not by us
    bool drained_ = true;
    std::thread stopper_ = {};
    std::mutex event_mutex_ = {};  // calls of on_event
    std::mutex watchers_mutex_ = {};
    std::vector<std::weak_ptr<ConnectionWatcher>> watchers_ = {};
    std::vector<std::shared_ptr<Consumer>> consumers_ = {};
    std::uint64_t last_draft_ = 0;
    std::map<std::uint64_t, Draft> drafts_ = {};  // begun and not added
    SubscriberStats gone_ = {};                   // of consumers that were stopped and forgotten
    std::unordered_map<std::type_index, std::shared_ptr<void>> provided_ = {};
    std::vector<std::shared_ptr<RouterNode>> routers_ = {};
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::vector<PublishStep*> publish_steps_ = {};   // those of layer_
    std::atomic<bool> around_publications_ = false;  // there are publish middlewares, somewhere
    std::unordered_map<const void*, std::shared_ptr<const void>> replacements_ = {};  // of functions of Depends
};

}  // namespace freshet::detail
