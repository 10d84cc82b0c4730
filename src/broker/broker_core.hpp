// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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

#include "base/measuring.hpp"
#include "broker/broker_life.hpp"
#include "broker/connection_state.hpp"
#include "broker/hosted_service.hpp"
#include "broker/reports.hpp"
#include "delivery/delivery_observer.hpp"
#include "delivery/host.hpp"
#include "delivery/stall_watch.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// The half of a broker that starts, stops and declares: its life (BrokerLife), its subscribers, and the objects that
/// they are given. Its Link sends and asks. Callers share the core, so that a broker may be destroyed inside a call of
/// its own.
class BrokerCore final : public Registry, public Host, public std::enable_shared_from_this<BrokerCore> {
public:
    using MakeTransport = Link::MakeTransport;

    BrokerCore(Broker& owner, BrokerOptions options, const MakeTransport& make_transport);
    /// Calls end() with the broker's stop_timeout, unless it was called before.
    ~BrokerCore();

    /// The parts that a test puts in the place of the network and of time.
    struct TestSetup {
        MakeTransport make_transport = {};  // empty: the broker keeps its own
        std::shared_ptr<Clock> clock = {};  // null: the system's
        std::shared_ptr<DeliveryObserver> observer = {};
        bool threads = true;  // false: no subscriber has threads of its own, not even with workers
        std::shared_ptr<spdlog::logger> logger = {};  // null: the broker keeps its own
    };
    /// Replaces parts for a test. Call it before start().
    void prepare(TestSetup setup);
    /// Provides another object, also to subscribers that run. No handler may run meanwhile.
    void replace(const std::type_info& type, std::shared_ptr<void> object);
    std::vector<std::shared_ptr<SubscriberCore>> subscribers() const;
    /// Calls `look` for each declared subscriber, also of the routers that are included, in the order of declaration.
    /// `source` is null for core NATS. `look` must not call the broker.
    using Look = std::function<void(const SubscriberSpec& spec, const Source* source)>;
    void look_at_subscribers(const Look& look) const;
    DeliveryObserver* observer() const noexcept override { return observer_.get(); }
    bool threads() const noexcept override { return threads_; }
    StallWatch* stall_watch() noexcept override { return threads_ ? &stalls_ : nullptr; }

    /// Connects and starts the subscribers; blocks until the broker runs. Throws if it cannot.
    void start();
    /// Calls start(), blocks until a signal or stop(), then stops the broker. Throws failure() if the broker ended by
    /// itself.
    void run();
    /// Stops the broker. Blocks until it has stopped, for `timeout` and a second for closing at most, inside a callback
    /// not at all. Returns false if something was left unhandled.
    bool stop(std::chrono::milliseconds timeout);
    /// Ends a start() that waits for a server or that is about to begin. Does nothing to a broker that has connected.
    void forbid_start() noexcept;
    /// Stops the broker, and blocks until all handlers have returned, however long they take, and all timers have
    /// ended: afterwards nothing of the broker runs. Do not call it inside a callback.
    void end(std::chrono::milliseconds timeout);
    /// Ends the sources, and gives back or drops the messages that wait, now and later. Does not wait.
    void discard_all();
    /// Keeps an object until end() has waited for all handlers.
    void keep(std::shared_ptr<void> object);
    /// Sets the action for a handler that throws ExitApp; empty: the broker stops. Waits for an action that runs.
    void on_exit(std::function<void(int)> action);
    bool answers(std::string_view subject) const override;
    void exit(int code) noexcept override;
    void on_lost(std::string_view subject, const Error& why) noexcept override;

    std::uint64_t begin(const std::string& subject) override;
    std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) override;
    void provide(const std::type_info& type, std::shared_ptr<void> object);
    void* provided(const std::type_info& type) const override;
    /// Has Depends take a stand-in, a Replacement, for a function.
    void override_dependency(const void* key, std::shared_ptr<const void> replacement);
    const void* replacement(const void* key) const noexcept override;
    void include(std::shared_ptr<RouterNode> router);
    /// Adds a service, whose subscribers may come later. On a running broker it is started: blocks for a round trip.
    void host(std::shared_ptr<HostedService> service);
    std::vector<std::shared_ptr<HostedService>> services() const;
    /// Returns true before the start.
    bool idle() const noexcept;
    /// Returns the layer around every handler and publication, to be changed. Throws after the start; `what` names the
    /// caller in the error.
    Layer& change_layer(const char* what);
    std::shared_ptr<const Layer> layer() const noexcept override { return layer_; }
    /// Returns true if a stop ended start(), not a failure, or came before it.
    bool was_cut_short() const;
    /// Returns true if the broker has stopped, left nothing unhandled, and did not lose its connection.
    bool ended_clean() const;
    /// Returns true if the broker has stopped or never started, and no handler of it runs or will run.
    bool handlers_done() const;
    bool running() const noexcept;
    BrokerStats stats() const;
    Health health() const;
    /// Returns why the broker has ended, or ends, by itself; nothing if it does not.
    std::optional<Error> failure() const;
    /// Measures from now on. Throws after the start, and the second time.
    void measure(Measuring measuring);
    Broker& owner() const noexcept override { return *owner_; }
    Link& link() noexcept { return link_; }
    const Link& link() const noexcept { return link_; }

private:
    using Event = BrokerLife::Event;
    using Action = BrokerLife::Action;

    /// A subscriber that is being declared, and the thread that declares it.
    struct Draft {
        std::string subject;
        std::thread::id thread;
    };

    // broker_start.cpp
    void run_until_stopped();
    void bind_all();
    /// Returns the subjects that this thread has begun to declare and never finished. Those of other threads may still
    /// be finished.
    std::vector<std::string> forgotten() const;
    void start_all();
    /// Takes back what start() did. Blocks for the broker's stop_timeout at most, inside a callback not at all: then
    /// the handlers that have begun go on, and end() waits for them.
    void undo_start() noexcept;
    /// Ends the subscribers that have started, closes the connection, and waits for the handlers. Blocks.
    void take_back();

    // broker_stop.cpp
    /// Takes a step of the life that asks for the end, and does what it says. Returns false if the event changes
    /// nothing.
    bool ask_end(Event event, std::chrono::milliseconds timeout);
    /// Begins to run `work` in a thread of its own, because callers of start() and stop() wait only until their
    /// deadline, and inside a callback not at all. Called under mutex_, so that end() finds the thread to join.
    /// Returns false if no thread could be made.
    bool end_in_thread(void (BrokerCore::*work)());
    /// Winds down in the calling thread if no thread could be made, unless this is a callback.
    void wind_down_here();
    /// Stops the subscribers, waits for handlers until the deadline, closes the connection. Blocks.
    void wind_down();
    /// Reports that the time of the stop is over and something was left. Call it after the subscribers have discarded
    /// what waits.
    void give_up();
    /// Takes a last step of the life, and refuses publications from now on.
    void finish(Event event);
    /// Ends the subscribers that have not started.
    void abandon_all() noexcept;
    void on_event(const ConnectionEvent& event) noexcept;
    /// Stops the broker if its connection was closed for good, which also ends run().
    void end_if_lost() noexcept;

    // broker_registry.cpp
    void start_now(const std::shared_ptr<SubscriberCore>& subscriber);
    /// Asks servers how far consumers are behind, again and again, if that is measured.
    void poll();
    void start_now(const std::shared_ptr<HostedService>& service);
    /// Throws if the subscriber cannot be declared in this state or on this thread. Called under mutex_.
    void check_declarable(const SubscriberCore& subscriber) const;
    /// Binds a subscriber of a broker that was started. Throws its mistakes.
    void bind(SubscriberCore& subscriber);
    /// Removes the subscribers that have finished, and adds up their counts. Called under mutex_. The caller destroys
    /// the returned subscribers after it has released the lock, because the captures of their handlers go with them.
    std::vector<std::shared_ptr<SubscriberCore>> forget_finished();

    Broker* owner_;
    Link link_;
    StallWatch stalls_{link_};

    std::shared_ptr<DeliveryObserver> observer_ = {};
    bool threads_ = true;

    // Held while start() binds the subscribers, without mutex_: functions of the user run then, and may look, too.
    mutable std::recursive_mutex binding_mutex_ = {};
    mutable std::mutex mutex_ = {};         // guards the members below
    std::condition_variable changed_ = {};  // notified when life_ changes
    BrokerLife life_ = {};
    TimePoint stop_deadline_ = {};
    std::chrono::milliseconds stop_timeout_ = {};
    std::thread stopper_ = {};
    bool no_stopper_ = false;  // no thread could be made to wind down in
    bool ended_ = false;       // end() was called
    std::optional<Error> failure_ = {};
    std::vector<std::shared_ptr<void>> kept_ = {};
    std::vector<std::shared_ptr<SubscriberCore>> subscribers_ = {};
    std::uint64_t last_draft_ = 0;
    std::map<std::uint64_t, Draft> drafts_ = {};  // subscribers that were begun and not added
    Reports gone_ = {};                           // counts of the subscribers that were forgotten
    std::unordered_map<std::type_index, std::shared_ptr<void>> provided_ = {};
    std::vector<std::shared_ptr<RouterNode>> routers_ = {};
    std::vector<std::shared_ptr<HostedService>> services_ = {};
    bool routers_expanded_ = false;  // their subscribers are among subscribers_
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::unordered_map<const void*, std::shared_ptr<const void>> replacements_ = {};  // by the function of Depends

    ConnectionState connection_ = {};

    std::mutex exit_mutex_ = {};  // guards on_exit_ and its calls
    std::function<void(int)> on_exit_ = {};
};

/// Ends the core of a broker that is destroyed inside a callback, where nothing may wait: stops it, gives up the
/// messages that wait, and destroys the core in a thread of its own when the handlers have returned. Does not block.
void end_in_background(std::shared_ptr<BrokerCore> core) noexcept;

/// Returns the message of an error that lists `problems`; `who` has them.
std::string list_of(const std::vector<std::string>& problems, std::string_view who);

}  // namespace freshet::detail
