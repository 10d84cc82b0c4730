// SPDX-License-Identifier: Apache-2.0
// Consumer::messages, for programs that are not services.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <freshet/js/consumer.hpp>

#include "base/may_wait.hpp"
#include "base/wait.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/consumer_source.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/pull_policy.hpp"

namespace freshet::detail {
/// Holds the messages that come until the program takes them.
class PulledMessages {
public:
    static Expected<std::unique_ptr<PulledMessages>> begin(const std::shared_ptr<const JsApi>& api, ConsumerSpec spec,
                                                           const js::MessagesOptions& options) {
        auto state = std::make_shared<State>(api, std::move(spec));
        const PullLimits limits{
            .min_window = options.prefetch, .max_window = options.prefetch, .heartbeat = options.heartbeat};
        auto session =
            std::make_shared<ConsumerSession>(api, state->text(),
                                              PullPolicy::make(*api, {.limits = limits, .priority = options.priority}));
        if (auto started = session->start(state); !started) return std::unexpected{std::move(started).error()};
        return std::unique_ptr<PulledMessages>{new PulledMessages{std::move(state), std::move(session)}};
    }
    PulledMessages(const PulledMessages&) = delete;
    PulledMessages& operator=(const PulledMessages&) = delete;
    ~PulledMessages() { stop(); }

    std::optional<js::Delivery> next(std::chrono::milliseconds timeout) {
        return next(state_->api()->link().clock().now() + timeout);
    }
    std::optional<js::Delivery> next(TimePoint deadline) {
        for (;;) {
            auto taken = state_->next(deadline);
            if (!taken) return std::nullopt;
            session_->handled({.count = 1, .bytes = taken->message.payload().size(), .since = taken->since});
            // Skips a message of a consumer that is gone, since the program could not settle it.
            if (!state_->acknowledger()->is_current(taken->incarnation)) continue;
            return js::Delivery{state_->api(), std::move(taken->message), state_->acknowledger(), taken->incarnation};
        }
    }

    void drain() noexcept {
        state_->drain();
        session_->stop(arrival_time);
    }

    void stop() {
        state_->close();
        session_->stop(arrival_time);  // gives back the messages that are on their way
    }

private:
    struct Waiting {
        Message message;
        TimePoint since;
        TimePoint told;  // when the server last heard that it is not forgotten
        Acknowledger::Incarnation incarnation;
    };

    class State final : public SessionOwner, public std::enable_shared_from_this<State> {
    public:
        State(std::shared_ptr<const JsApi> api, ConsumerSpec spec)
            : api_{std::move(api)},
              spec_{std::move(spec)},
              acknowledger_{std::make_shared<Acknowledger>(api_->link(), spec_.text())} {}

        const std::shared_ptr<const JsApi>& api() const noexcept { return api_; }
        std::string text() const { return spec_.text(); }
        const std::shared_ptr<Acknowledger>& acknowledger() const noexcept { return acknowledger_; }

        Expected<DeliveryTarget> declare() override {
            const auto found = declare_consumer(*api_, spec_);
            if (!found) {
                note_gone(found.error());
                return std::unexpected{found.error()};
            }
            {
                const std::lock_guard lock{mutex_};
                ack_wait_ = ack_wait_of((*found)["config"]);
                refused_ = std::nullopt;
            }
            return DeliveryTarget{.consumer = spec_.stream + '.' + spec_.name,
                                  .identity = field<std::string>(*found, "created"),
                                  .limits = request_limits_of((*found)["config"])};
        }

        void on_message(Message message, const Metadata&) noexcept override {
            std::unique_lock lock{mutex_};
            if (closed_) {
                lock.unlock();
                return give_back(message, acknowledger_->current());
            }
            const auto now = api_->link().clock().now();
            messages_.push_back(
                {.message = std::move(message), .since = now, .told = now, .incarnation = acknowledger_->current()});
            arm(now);
            changed_.notify_all();
        }

        void on_doubt() noexcept override { acknowledger_->doubt(); }
        void on_found(Acknowledger::Anew anew) noexcept override { acknowledger_->found(anew); }
        void on_refused(const Error& why) noexcept override {
            const std::lock_guard lock{mutex_};
            refused_ = why;
            changed_.notify_all();
        }

        void on_end() noexcept override {
            {
                const std::lock_guard lock{mutex_};
                ended_ = true;
                changed_.notify_all();
                if (draining_) return;  // the program takes what is here
            }
            close();
        }

        void drain() noexcept {
            const std::lock_guard lock{mutex_};
            draining_ = true;
        }

        std::optional<Waiting> next(TimePoint deadline) {
            std::unique_lock lock{mutex_};
            auto& clock = api_->link().clock();
            const auto ready = [this] { return ended_ || closed_ || refused_ || !messages_.empty(); };
            if (!ready() && deadline > clock.now() && !may_wait())
                raise(wait_refused("reading the next message of " + spec_.text()));
            wait_until(clock, lock, changed_, deadline, ready);
            if (messages_.empty() && refused_ && !closed_ && !ended_) raise(*std::exchange(refused_, std::nullopt));
            if (messages_.empty()) return std::nullopt;
            auto taken = std::move(messages_.front());
            messages_.pop_front();
            renew(taken, api_->link().clock().now(), ack_wait_ / 4);  // the program gets most of ack_wait for it
            return taken;
        }

        void close() noexcept {
            std::deque<Waiting> left;
            {
                const std::lock_guard lock{mutex_};
                closed_ = true;
                left.swap(messages_);
                changed_.notify_all();
            }
            for (const auto& waiting : left) give_back(waiting.message, waiting.incarnation);
        }

    private:
        /// Lets next() throw if the consumer is gone.
        void note_gone(const Error& why) noexcept {
            if (why.code() != Errc::consumer_not_found && why.code() != Errc::stream_not_found) return;
            const std::lock_guard lock{mutex_};
            refused_ = why;
            changed_.notify_all();
        }

        /// Starts the timer that keeps the server from delivering again what waits here. Call it with the lock held.
        void arm(TimePoint now) noexcept {
            if (armed_ || closed_ || messages_.empty() || ack_wait_.count() == 0) return;
            armed_ = true;
            api_->link().clock().schedule(now + ack_wait_ / 4, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->renew();
            });
        }

        /// Tells the server of the messages for which half of ack_wait is over.
        void renew() noexcept {
            const auto now = api_->link().clock().now();
            // Holds the lock: a message that the loop takes meanwhile may be settled before this arrives.
            const std::lock_guard lock{mutex_};
            armed_ = false;
            for (auto& waiting : messages_) renew(waiting, now, ack_wait_ / 2);
            arm(now);
        }

        /// Tells the server of a message of which it has not heard for `silence`. Call it with the lock held.
        void renew(Waiting& waiting, TimePoint now, std::chrono::nanoseconds silence) noexcept {
            if (silence.count() == 0 || now - waiting.told < silence || acknowledger_->in_doubt()) return;
            waiting.told = now;
            acknowledger_->send(waiting.incarnation, waiting.message.reply_to(), "+WPI", Flush::batched);
        }

        void give_back(const Message& message, Acknowledger::Incarnation incarnation) noexcept {
            acknowledger_->send(incarnation, message.reply_to(), nak_word, Flush::batched);
        }

        const std::shared_ptr<const JsApi> api_;
        const ConsumerSpec spec_;
        const std::shared_ptr<Acknowledger> acknowledger_;  // shared with the deliveries that the program has taken
        std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        std::deque<Waiting> messages_ = {};
        std::optional<Error> refused_ = {};
        std::chrono::nanoseconds ack_wait_{};  // 0: the server wants no acknowledgements
        bool armed_ = false;
        bool draining_ = false;  // the program takes what is here, and then the range ends
        bool ended_ = false;     // nothing comes any more
        bool closed_ = false;
    };

    PulledMessages(std::shared_ptr<State> state, std::shared_ptr<ConsumerSession> session)
        : state_{std::move(state)}, session_{std::move(session)} {}

    const std::shared_ptr<State> state_;
    const std::shared_ptr<ConsumerSession> session_;
};

}  // namespace freshet::detail

namespace freshet::js {

Expected<Deliveries> Consumer::try_messages(const MessagesOptions& options) const {
    if (auto valid = detail::check_js_name("stream", stream_); !valid) return std::unexpected{valid.error()};
    if (auto valid = detail::check_js_name("consumer", name_); !valid) return std::unexpected{valid.error()};
    if (options.prefetch == 0)
        return failure(Errc::bad_setup,
                       "MessagesOptions::prefetch is 0, so nothing would be delivered; set it to 1 or more");
    if (options.heartbeat.count() <= 0)
        return failure(Errc::bad_setup, "MessagesOptions::heartbeat must be more than 0");
    auto begun =
        detail::PulledMessages::begin(api_, {.stream = stream_, .name = name_, .declare = Declare::never}, options);
    if (!begun) return std::unexpected{std::move(begun).error()};
    return Deliveries{*std::move(begun)};
}

Deliveries::Deliveries(std::unique_ptr<detail::PulledMessages> messages) noexcept : messages_{std::move(messages)} {}
Deliveries::Deliveries(Deliveries&&) noexcept = default;
Deliveries::~Deliveries() = default;

std::optional<Delivery> Deliveries::next(std::chrono::milliseconds timeout) { return messages_->next(timeout); }

void Deliveries::drain() noexcept { messages_->drain(); }
void Deliveries::stop() { messages_->stop(); }

Deliveries::Iterator& Deliveries::Iterator::operator++() {
    current_ = deliveries_->messages_->next(TimePoint::max());
    return *this;
}

}  // namespace freshet::js
