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

#include "delivery/delivery_observer.hpp"
#include "delivery/host.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// The half of a broker that lives and declares: its states (idle, running, stopping, stopped), its subscribers, what they are
/// given. What it sends goes through its Link.
class BrokerCore final : public Registry, public Host {
public:
    using MakeTransport = Link::MakeTransport;

    BrokerCore(Broker& owner, BrokerOptions options, const MakeTransport& make_transport);
    /// Stops, and waits for handlers that still run, however long they take.
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
    /// Blocks, unless called inside a callback.
    bool stop(std::chrono::milliseconds timeout);
    /// Ends a start() that waits for a server; does nothing otherwise.
    void cut_start_short() noexcept;
    /// What a handler that throws ExitApp wants: whoever runs the broker decides, else it stops. Set while nothing runs.
    void on_exit(std::function<void(int)> action) noexcept { on_exit_ = std::move(action); }
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
    /// Whether the stop left nothing unhandled.
    bool drained() const;
    bool running() const noexcept { return state_.load(std::memory_order_acquire) == State::running; }
    BrokerStats stats() const;
    Broker& owner() const noexcept override { return *owner_; }
    Link& link() noexcept { return link_; }
    const Link& link() const noexcept { return link_; }

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
    void start_now(const std::shared_ptr<SubscriberCore>& subscriber);
    bool is_live() const noexcept { return state_ == State::subscribing || state_ == State::running; }
    void forget_finished();
    void begin_stop(std::chrono::milliseconds timeout);
    void start_stopper(std::chrono::milliseconds timeout);
    void wind_down(std::chrono::milliseconds timeout);
    void settle(bool drained);
    void on_event(const ConnectionEvent& event) noexcept;
    /// Ends run() when nothing will ever come again.
    void end_if_lost() noexcept;

    Broker* owner_;
    Link link_;

    std::shared_ptr<DeliveryObserver> observer_ = {};
    bool threads_ = true;

    std::function<void(int)> on_exit_ = {};
    std::atomic<State> state_ = State::idle;
    mutable std::mutex mutex_ = {};         // subscribers_, drafts_, provided_, changes of state_ and the next three
    std::condition_variable changed_ = {};  // state_
    bool stop_wanted_ = false;
    bool undoing_ = false;  // start() has failed
    bool lost_ = false;     // the connection was closed, and not by us
    bool drained_ = true;
    std::thread stopper_ = {};
    std::vector<std::shared_ptr<SubscriberCore>> subscribers_ = {};
    std::uint64_t last_draft_ = 0;
    std::map<std::uint64_t, Draft> drafts_ = {};  // begun and not added
    SubscriberStats gone_ = {};                   // of subscribers that were stopped and forgotten
    std::unordered_map<std::type_index, std::shared_ptr<void>> provided_ = {};
    std::vector<std::shared_ptr<RouterNode>> routers_ = {};
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::unordered_map<const void*, std::shared_ptr<const void>> replacements_ = {};  // of functions of Depends
};

}  // namespace freshet::detail
