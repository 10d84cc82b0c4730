// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
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

#include "broker/broker_life.hpp"
#include "delivery/delivery_observer.hpp"
#include "delivery/host.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// The half of a broker that lives and declares: its life (BrokerLife), its subscribers, what they are given. What it
/// sends goes through its Link. Whoever calls it shares it, so that a broker may be destroyed inside a call of its own.
class BrokerCore final : public Registry, public Host {
public:
    using MakeTransport = Link::MakeTransport;

    BrokerCore(Broker& owner, BrokerOptions options, const MakeTransport& make_transport);
    /// Calls end() with the broker's stop_timeout, unless somebody has.
    ~BrokerCore();

    /// What a test puts in the place of the network and of time.
    struct TestSetup {
        MakeTransport make_transport = {};  // empty: the broker keeps its own
        std::shared_ptr<Clock> clock = {};  // null: the system's
        std::shared_ptr<DeliveryObserver> observer = {};
        bool threads = true;  // false: subscribers with workers and dedicated ones run in the transport's thread too
    };
    /// Before start().
    void prepare(TestSetup setup);
    /// Provides another object, also to subscribers that run; no handler may run meanwhile.
    void replace(const std::type_info& type, std::shared_ptr<void> object);
    std::vector<std::shared_ptr<SubscriberCore>> subscribers() const;
    DeliveryObserver* observer() const noexcept override { return observer_.get(); }
    bool threads() const noexcept override { return threads_; }

    void start();
    /// start(), then waits for a signal or stop(), then stops.
    void run();
    /// Blocks, unless called inside a callback.
    bool stop(std::chrono::milliseconds timeout);
    /// Ends a start() that waits for a server, or that is about to begin; does nothing to a broker that has connected.
    void forbid_start() noexcept;
    /// Stops, and waits for handlers that still run, however long they take, and for timers. Afterwards nothing of the
    /// broker runs. Not inside a callback.
    void end(std::chrono::milliseconds timeout);
    /// Keeps an object until no handler runs: see end().
    void keep(std::shared_ptr<void> object);
    /// Replaces what a handler that throws ExitApp wants: whoever runs the broker decides, else it stops. Waits for an
    /// action that runs.
    void on_exit(std::function<void(int)> action);
    void exit(int code) noexcept override;

    std::uint64_t begin(const std::string& subject) override;
    std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) override;
    void provide(const std::type_info& type, std::shared_ptr<void> object);
    void* provided(const std::type_info& type) const override;
    /// Puts a function's stand-in, a Replacement, where Depends asks for it.
    void override_dependency(const void* key, std::shared_ptr<const void> replacement);
    const void* replacement(const void* key) const noexcept override;
    void include(std::shared_ptr<RouterNode> router);
    /// What is around every handler and publication. To be changed before start() only: `what` wants to.
    Layer& change_layer(const char* what);
    std::shared_ptr<const Layer> layer() const noexcept override { return layer_; }
    /// Whether it has stopped, left nothing unhandled, and did not lose its connection.
    bool ended_clean() const;
    /// Whether it has stopped or never started, and no handler of it runs or will run.
    bool handlers_done() const;
    bool running() const noexcept;
    BrokerStats stats() const;
    Broker& owner() const noexcept override { return *owner_; }
    Link& link() noexcept { return link_; }
    const Link& link() const noexcept { return link_; }

private:
    using Event = BrokerLife::Event;
    using Action = BrokerLife::Action;

    /// A subscriber that is being declared, and by which thread.
    struct Draft {
        std::string subject;
        std::thread::id thread;
    };

    // broker_start.cpp
    void bind_all();
    /// What this thread has begun to declare and never finished. Another thread may be about to.
    std::vector<std::string> forgotten() const;
    void start_all();
    void undo_start() noexcept;

    // broker_stop.cpp
    /// Takes a step of the life that asks for the end, and does what it says. False: the event changes nothing.
    bool ask_end(Event event, std::chrono::milliseconds timeout);
    /// Begins to wind down, in a thread of its own. Under mutex_, so that whoever joins the thread finds it.
    void begin_winding_down();
    /// Does it in this thread where none could be made, unless this is a callback.
    void wind_down_here();
    void wind_down();
    /// The last step: what is published from now on is refused.
    void settle(Event event);
    /// Ends the subscribers that have not started.
    void abandon_all() noexcept;
    void on_event(const ConnectionEvent& event) noexcept;
    /// Ends run() when nothing will ever come again.
    void end_if_lost() noexcept;

    // broker_registry.cpp
    void start_now(const std::shared_ptr<SubscriberCore>& subscriber);
    /// Counts out the subscribers that have ended. Under mutex_; what is returned goes without it, since the captures
    /// of handlers go with it.
    std::vector<std::shared_ptr<SubscriberCore>> forget_finished();

    Broker* owner_;
    Link link_;

    std::shared_ptr<DeliveryObserver> observer_ = {};
    bool threads_ = true;

    mutable std::mutex mutex_ = {};         // what follows
    std::condition_variable changed_ = {};  // life_
    BrokerLife life_ = {};
    TimePoint stop_deadline_ = {};
    std::chrono::milliseconds stop_timeout_ = {};
    std::thread stopper_ = {};
    bool no_stopper_ = false;  // there was no thread to wind down in
    bool ended_ = false;       // end() was called
    std::vector<std::shared_ptr<void>> kept_ = {};
    std::vector<std::shared_ptr<SubscriberCore>> subscribers_ = {};
    std::uint64_t last_draft_ = 0;
    std::map<std::uint64_t, Draft> drafts_ = {};  // begun and not added
    SubscriberStats gone_ = {};                   // of subscribers that were stopped and forgotten
    std::unordered_map<std::type_index, std::shared_ptr<void>> provided_ = {};
    std::vector<std::shared_ptr<RouterNode>> routers_ = {};
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::unordered_map<const void*, std::shared_ptr<const void>> replacements_ = {};  // of functions of Depends

    std::mutex exit_mutex_ = {};  // on_exit_ and its calls
    std::function<void(int)> on_exit_ = {};
};

/// For a broker that is destroyed inside a callback, where nothing may wait: stops it, drops what waits, and ends the
/// core when its handlers have returned, in a thread of its own.
void end_in_background(std::shared_ptr<BrokerCore> core) noexcept;

/// The problems of a start, as the message of its error; `who` has them.
std::string list_of(const std::vector<std::string>& problems, std::string_view who);

}  // namespace freshet::detail
