// SPDX-License-Identifier: Apache-2.0
#include "nats/subscription.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/callback_scope.hpp"
#include "base/fork.hpp"
#include "base/once_per_second.hpp"
#include "base/quoted.hpp"
#include "nats/c_string.hpp"
#include "nats/library.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {
namespace {

constexpr std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

/// Returns a limit for natsSubscription_SetPendingLimits, where a negative one means no limit.
int to_limit(std::size_t limit) {
    return limit == 0 || limit > std::numeric_limits<int>::max() ? -1 : static_cast<int>(limit);
}

}  // namespace

/// The closure of cnats's callbacks of one subscription. Only the last callback, on_complete, frees it, because
/// destroying a subscription does not end a delivery that has begun.
class Delivery {
public:
    Delivery(std::shared_ptr<MessageSink> sink, std::shared_ptr<Subscriptions> all, Lane lane)
        : sink_{std::move(sink)}, all_{std::move(all)}, lane_{lane} {
        const std::lock_guard lock{all_->mutex_};
        ++all_->open_[index(lane_)];
    }
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;
    ~Delivery() { leave(); }

    /// Called when cnats has accepted on_complete, which owns the delivery from now on. Until then the callbacks wait.
    static void arm(std::unique_ptr<Delivery> delivery) {
        const auto all = delivery->all_;
        delivery.release()->enter(Stage::live);
        all->changed_.notify_all();
    }

    /// Called when cnats has not accepted on_complete, because the connection was closed at that moment. A callback may
    /// still be on its way and finds no sink. This object is never freed then, because nothing says when the last
    /// callback has come.
    static void abandon(std::unique_ptr<Delivery> delivery) {
        static auto& parked = *new std::vector<std::unique_ptr<Delivery>>;
        static std::mutex mutex;
        delivery->enter(Stage::abandoned);
        delivery->leave();
        const std::lock_guard lock{mutex};
        parked.push_back(std::move(delivery));
    }

    void on_message(Message message) noexcept {
        if (!is_live() || all_->discarding_.load(std::memory_order_acquire)) return;
        const CallbackThread scope;
        sink_->on_message(std::move(message));
    }

    void on_complete() noexcept {
        if (!is_live()) return;
        const CallbackThread scope;
        sink_->on_end();
    }

private:
    enum class Stage : char { arming, live, abandoned };

    bool is_live() {
        auto now = stage_.load(std::memory_order_acquire);
        if (now == Stage::arming) {
            std::unique_lock lock{all_->mutex_};
            all_->changed_.wait(lock, [&] { return (now = stage_.load(std::memory_order_relaxed)) != Stage::arming; });
        }
        return now == Stage::live;
    }

    void enter(Stage stage) {
        const std::lock_guard lock{all_->mutex_};
        stage_.store(stage, std::memory_order_release);
    }

    /// Releases the sink, then the threads that wait for the end.
    void leave() noexcept {
        sink_.reset();
        const std::lock_guard lock{all_->mutex_};
        if (!std::exchange(counted_, false)) return;
        --all_->open_[index(lane_)];
        all_->changed_.notify_all();
    }

    std::shared_ptr<MessageSink> sink_;
    std::shared_ptr<Subscriptions> all_;
    Lane lane_;
    bool counted_ = true;
    std::atomic<Stage> stage_ = Stage::arming;
};

namespace {

extern "C" {

void freshet_on_message(natsConnection*, natsSubscription*, natsMsg* native, void* delivery) noexcept {
    static_cast<Delivery*>(delivery)->on_message(Message{native});
}

void freshet_on_complete(void* closure) noexcept {
    const CallbackScope scope;  // this destroys the sink, and with it the captures of a handler
    const std::unique_ptr<Delivery> delivery{static_cast<Delivery*>(closure)};
    delivery->on_complete();
}

}  // extern "C"

}  // namespace

class NatsSubscription final : public TransportSubscription {
public:
    NatsSubscription(const SubscriptionSpec& spec, std::weak_ptr<MessageSink> sink, std::shared_ptr<Subscriptions> all)
        : subject_{spec.subject}, queue_{spec.queue}, lane_{spec.lane}, sink_{std::move(sink)}, all_{std::move(all)} {}

    natsStatus subscribe(natsConnection* connection, const SubscriptionSpec& spec, Delivery* delivery) {
        const CString subject{spec.subject};
        const CString queue{spec.queue};
        if (spec.queue.empty()) {
            return natsConnection_Subscribe(out(native_), connection, subject.c_str(), &freshet_on_message, delivery);
        }
        return natsConnection_QueueSubscribe(out(native_), connection, subject.c_str(), queue.c_str(),
                                             &freshet_on_message, delivery);
    }

    natsStatus set_on_complete(Delivery* delivery) {
        return natsSubscription_SetOnCompleteCB(native_.get(), &freshet_on_complete, delivery);
    }

    void set_limits(const SubscriptionSpec& spec) {
        natsSubscription_SetPendingLimits(native_.get(), to_limit(spec.max_pending_messages),
                                          to_limit(spec.max_pending_bytes));
    }

    void enter() {
        const std::lock_guard lock{all_->mutex_};
        all_->existing_.insert(this);
    }

    ~NatsSubscription() override {
        if (forked()) {  // the child has the locks in any state, and no threads of cnats
            std::ignore = native_.release();
            return;
        }
        const std::lock_guard lock{all_->mutex_};
        all_->existing_.erase(this);
    }

    void drain(std::chrono::milliseconds timeout) override {
        if (forked()) return;
        draining_.store(true, std::memory_order_release);
        if (timeout.count() <= 0) return end();
        if (all_->is_disconnected(lane_) && end_after_waiting()) return;
        // cnats refuses this if the subscription has ended or its connection drains; no drain is needed then.
        natsSubscription_DrainTimeout(native_.get(), timeout.count());
    }

    Expected<void> auto_unsubscribe(std::uint64_t count) override {
        const auto what =
            fmt::format("cannot end the subscription of {} after {} messages", detail::quoted(subject_), count);
        if (count == 0 || count > std::numeric_limits<int>::max()) {
            return failure(Errc::bad_setup, what + ": the number must be from 1 to 2147483647");
        }
        if (forked()) return std::unexpected{forked_error(what)};
        const auto status = natsSubscription_AutoUnsubscribe(native_.get(), static_cast<int>(count));
        if (status != NATS_OK) return std::unexpected{to_error(status, what)};
        return {};
    }

    std::size_t pending() const override {
        int messages = 0;
        const auto status = natsSubscription_GetPending(native_.get(), &messages, nullptr);
        return status == NATS_OK ? static_cast<std::size_t>(messages) : 0;
    }

    std::uint64_t dropped() const override {
        std::int64_t count = 0;
        if (natsSubscription_GetDropped(native_.get(), &count) == NATS_OK) {
            dropped_.store(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
        }
        return dropped_.load(std::memory_order_relaxed);  // after the end, the last known number
    }

    std::optional<Error> refusal() const override {
        const std::lock_guard lock{all_->mutex_};
        return refusal_;
    }

    /// Remembers a refusal of the server if it concerns this subscription. Returns whether it does. Called under the
    /// mutex of all subscriptions.
    bool refuse(std::string_view reason) {
        const auto refused = fmt::format("Subscription to \"{}\"", subject_);
        const auto queue = queue_.empty() ? std::string{} : fmt::format(" using queue \"{}\"", queue_);
        // A right that is taken away later is told with the subscription's number, by some servers without the queue.
        const auto number = fmt::format(" (sid \"{}\")", natsSubscription_GetID(native_.get()));
        const bool mine = reason.ends_with(refused + queue) || reason.ends_with(refused + queue + number) ||
                          reason.ends_with(refused + number);
        if (!mine) return false;
        refusal_ =
            Error{Errc::unauthorized,
                  fmt::format("the server refused the subscription of {}: {}; check what its user may subscribe to",
                              detail::quoted(subject_), reason)};
        return true;
    }

    /// Returns the refusal. Called under the mutex of all subscriptions.
    const std::optional<Error>& known_refusal() const noexcept { return refusal_; }
    /// Forgets the refusal. Returns whether there was one. Called under the mutex of all subscriptions.
    bool forget_refusal() { return std::exchange(refusal_, std::nullopt).has_value(); }

    bool is(const natsSubscription* native) const noexcept { return native_.get() == native; }
    std::shared_ptr<MessageSink> sink() const noexcept { return sink_.lock(); }
    const std::string& subject() const noexcept { return subject_; }
    /// Returns whether dropped messages may be reported now: at most once a second.
    bool may_report_drops() noexcept { return reports_.pass(std::chrono::steady_clock::now()); }

    Lane lane() const noexcept { return lane_; }
    bool is_draining() const {
        return draining_.load(std::memory_order_acquire) && natsSubscription_IsValid(native_.get());
    }
    void end() { natsSubscription_Unsubscribe(native_.get()); }

    /// Ends the subscription when the messages that wait are delivered. For a connection without a server: nothing more
    /// arrives there, and a drain would wait for the server's answer until its time is over. Returns false if it
    /// cannot.
    bool end_after_waiting() {
        int waiting = 0;
        std::int64_t delivered = 0;
        const auto known =
            natsSubscription_GetStats(native_.get(), &waiting, nullptr, nullptr, nullptr, &delivered, nullptr);
        if (known != NATS_OK || delivered + waiting > std::numeric_limits<int>::max()) return false;
        if (waiting > 0) natsSubscription_AutoUnsubscribe(native_.get(), static_cast<int>(delivered + waiting));
        if (pending() == 0) end();
        return true;
    }

    /// Returns false if a drain was cut off by its deadline or by the end of its connection.
    bool drained() const {
        const auto status = natsSubscription_DrainCompletionStatus(native_.get());
        return status == NATS_OK || status == NATS_INVALID_SUBSCRIPTION;  // the subscription was ended, not drained
    }

private:
    SubscriptionHandle native_ = {};
    std::string subject_;
    std::string queue_;
    Lane lane_;
    std::weak_ptr<MessageSink> sink_;
    std::shared_ptr<Subscriptions> all_;
    OncePerSecond reports_ = {};
    std::optional<Error> refusal_ = {};  // guarded by the mutex of all subscriptions
    std::atomic<bool> draining_ = false;
    mutable std::atomic<std::uint64_t> dropped_ = 0;
};

Expected<std::unique_ptr<TransportSubscription>>
Subscriptions::subscribe(natsConnection* connection, const SubscriptionSpec& spec, std::shared_ptr<MessageSink> sink) {
    auto subscription = std::make_unique<NatsSubscription>(spec, sink, shared_from_this());
    auto delivery = std::make_unique<Delivery>(std::move(sink), shared_from_this(), spec.lane);
    const auto what = [&] { return fmt::format("cannot subscribe to {}", detail::quoted(spec.subject)); };
    if (const auto status = subscription->subscribe(connection, spec, delivery.get()); status != NATS_OK) {
        return std::unexpected{to_error(status, what())};
    }
    if (const auto status = subscription->set_on_complete(delivery.get()); status != NATS_OK) {
        auto error = to_error(status, what());
        Delivery::abandon(std::move(delivery));
        return std::unexpected{std::move(error)};
    }
    subscription->set_limits(spec);
    {
        const std::lock_guard lock{connections_mutex_};
        connections_[index(spec.lane)] = connection;
    }
    Delivery::arm(std::move(delivery));
    subscription->enter();
    return subscription;
}

template <class F>
void Subscriptions::for_each_delivery(F function) const {
    const std::lock_guard lock{mutex_};
    for (auto* subscription : existing_) {
        if (subscription->lane() == Lane::deliveries) function(*subscription);
    }
}

bool Subscriptions::is_disconnected(Lane lane) const {
    const std::lock_guard lock{connections_mutex_};
    auto* const connection = connections_[index(lane)];
    if (connection == nullptr) return false;
    const auto status = natsConnection_Status(connection);
    return status == NATS_CONN_STATUS_RECONNECTING || status == NATS_CONN_STATUS_DISCONNECTED;
}

void Subscriptions::forget_connections() {
    const std::lock_guard lock{connections_mutex_};
    connections_ = {};
}

bool Subscriptions::any_draining() const {
    bool found = false;
    for_each_delivery([&](const NatsSubscription& subscription) { found = found || subscription.is_draining(); });
    return found;
}

void Subscriptions::drain_each(std::chrono::milliseconds timeout) {
    for_each_delivery([&](NatsSubscription& subscription) { subscription.drain(timeout); });
}

void Subscriptions::end_idle() {
    for_each_delivery([](NatsSubscription& subscription) {
        if (subscription.pending() == 0) subscription.end();
    });
}

void Subscriptions::end_all() {
    for_each_delivery([](NatsSubscription& subscription) { subscription.end(); });
}

bool Subscriptions::all_drained() const {
    bool drained = true;
    for_each_delivery([&](const NatsSubscription& subscription) { drained = drained && subscription.drained(); });
    return drained;
}

void Subscriptions::refuse(std::optional<Lane> lane, const std::string& reason) {
    std::vector<std::pair<std::shared_ptr<MessageSink>, Error>> lost;
    {
        const std::lock_guard lock{mutex_};
        for (auto* subscription : existing_) {
            if (lane.value_or(subscription->lane()) != subscription->lane() || !subscription->refuse(reason)) continue;
            lost.emplace_back(subscription->sink(), *subscription->known_refusal());
        }
    }
    for (const auto& [sink, why] : lost)
        if (sink != nullptr) sink->on_lost(why);
}

void Subscriptions::forget_refusals(std::optional<Lane> lane) {
    std::vector<std::shared_ptr<MessageSink>> back;
    {
        const std::lock_guard lock{mutex_};
        for (auto* subscription : existing_) {
            const bool carried = lane.value_or(subscription->lane()) == subscription->lane();
            if (carried && subscription->forget_refusal()) back.push_back(subscription->sink());
        }
    }
    for (const auto& sink : back)
        if (sink != nullptr) sink->on_back();
}

std::optional<ConnectionEvent> Subscriptions::report_dropped(natsSubscription* native) {
    ConnectionEvent event{.kind = ConnectionEvent::Kind::slow_consumer};
    std::shared_ptr<MessageSink> sink;
    {
        const std::lock_guard lock{mutex_};
        const auto found = std::ranges::find_if(existing_, [&](const auto* known) { return known->is(native); });
        if (found == existing_.end()) return std::nullopt;  // has ended, and its dropped messages were counted
        // cnats reports drops each time the queue has filled up again, at worst for each message.
        if (!(*found)->may_report_drops()) return std::nullopt;
        sink = (*found)->sink();
        event.subject = (*found)->subject();
        event.dropped = (*found)->dropped();
    }
    if (sink == nullptr || sink->on_dropped(event.dropped)) return std::nullopt;
    event.detail =
        fmt::format("{} messages dropped so far: more waited than the subscription's limits allow", event.dropped);
    return event;
}

bool Subscriptions::wait_until(Lane lane, Deadline deadline) {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [&] { return open_[index(lane)] == 0; });
}

void Subscriptions::wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return open_[0] == 0 && open_[1] == 0; });
}

}  // namespace freshet::detail::nats
