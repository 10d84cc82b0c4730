// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/subject.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

#include "base/callback_scope.hpp"
#include "base/once_per_second.hpp"
#include "delivery/chain.hpp"
#include "delivery/conclusion.hpp"
#include "delivery/delivery_observer.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/host.hpp"
#include "delivery/results.hpp"
#include "delivery/subscriber_life.hpp"

namespace freshet::detail {

/// One subscriber at work: its life from the declaration to the end, and the handling of its messages, which a
/// dispatcher brings to it from the source. Knows nothing of the handler's types.
class SubscriberCore final : public MessageSink, public Handling, public std::enable_shared_from_this<SubscriberCore> {
public:
    /// `link` and `host` must outlive every delivery.
    SubscriberCore(Link& link, Host& host, SubscriberSpec spec);
    /// Waits for the handlers that still run.
    ~SubscriberCore() override;

    /// Checks everything that can be wrong before the first message; each problem is added to `problems`.
    void bind(std::vector<std::string>& problems);
    /// Looks up again what the handler takes. While none runs.
    void rebind();

    /// Subscribes. Messages may come before it returns. Does nothing, and succeeds, after a stop.
    Expected<void> start();
    /// The broker stops: the source asks for nothing more. Does not wait.
    void quiesce() noexcept;
    /// Takes nothing new and lets what has arrived be handled; does not wait.
    void begin_stop(std::chrono::milliseconds timeout);
    /// Waits until nothing waits and no handler runs. Returns false when `deadline` passed: then what waits is given
    /// back or dropped, and only handlers that run already go on.
    bool finish_stop(TimePoint deadline);
    /// Stops, and waits for stop_timeout at most, inside a callback not at all. The broker may be gone.
    void stop();
    /// Ends a subscriber that was not started: it will not be.
    void abandon() noexcept;
    /// Waits for handlers that still run, however long they take; what waits for them is given back or dropped. After
    /// the transport was closed.
    void join();
    /// Whether it has ended and nothing of it runs any more.
    bool finished() const;

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;
    bool on_dropped(std::uint64_t count) noexcept override;

    void handle(Message message) noexcept override;
    void handle(std::vector<Message> batch) noexcept override;
    void reject(Message message, const Error& why) noexcept override;
    void on_emptied() noexcept override;
    /// Handles a message here and now.
    void process(Message& message) noexcept;

    Link& link() const noexcept { return *link_; }
    Host& host() const noexcept { return *host_; }
    DeliveryObserver* observer() const noexcept { return observer_; }
    /// What the publications of its handlers pass.
    const PublishRoute& publish_route() const noexcept { return route_; }
    const SubscriberSpec& spec() const noexcept { return spec_; }
    const std::optional<Subject>& subject() const noexcept { return subject_; }
    Source& source() const noexcept { return *source_; }
    SubscriberStats stats() const;
    void count_dropped() noexcept;

    /// Differs from that of every other subscriber of the program, past ones too.
    std::uint64_t number() const noexcept { return number_; }

    /// Whether somebody waits for an answer.
    bool answer_wanted(const Context& context) const noexcept {
        return answers_ && !context.message().reply_to().empty() && !ContextAccess::answered(context);
    }
    /// Whether an answer or a publication would reach anybody.
    bool result_wanted(const Context& context) const noexcept {
        return answer_wanted(context) || (!results_.empty() && !ContextAccess::answers_only(context));
    }
    /// Answers the request, then publishes to every target.
    Expected<void> emit(Context& context, const Encoded& encoded, const Headers* headers);

    /// What becomes of the delivery after the exception in flight, which the handler or a middleware threw.
    Outcome caught(Context& context) noexcept;
    /// Returns the outcome that the exception in flight stands for, if it is Ack, Nack, Reject or Skip.
    std::optional<Outcome> outcome_thrown(Context& context) noexcept;

    /// Writes a failure that comes with a delivery to the log, or counts it: see FailureLog.
    void log_failure(Context& context, FailureLog::Kind kind, std::string_view what, const Error& why) noexcept {
        conclusion_.log(context, kind, what, why);
    }

private:
    struct Innermost final : Step {
        explicit Innermost(SubscriberCore& owner) noexcept : subscriber{owner} {}
        Outcome run(Context& context, Next) override {
            return ContextAccess::take_decision(context, subscriber.call_handler(context));
        }
        SubscriberCore& subscriber;
    };
    /// What happens to messages that have not reached the handler.
    enum class Intake : std::uint8_t {
        open,        ///< they are handled
        closing,     ///< they are given back to a source that wants that, else handled
        discarding,  ///< they are given back, else dropped: the time of a stop is over
    };

    void bind_handler(Binder& binder);
    void bind_chain(Binder& binder);
    void bind_order(Binder& binder);

    void make_dispatcher();
    Expected<void> start_source();
    /// What follows the end of the source, or stands for it.
    void end() noexcept;
    void close_intake(Intake to) noexcept;
    /// From now on what has not reached the handler does not.
    void discard() noexcept;
    /// Gives back or drops what waits.
    void turn_away_waiting() noexcept;
    /// Gives back or drops a message that is not to be handled any more. Returns false if it is.
    bool turn_away(Message& message) noexcept;
    bool turns_away() const noexcept { return intake_.load(std::memory_order_relaxed) != Intake::open; }
    Dispatcher* dispatcher() const noexcept;

    Outcome run_chain(Context& context) noexcept;
    /// The handler and what is said of its failure; what the innermost middleware wraps.
    Outcome call_handler(Context& context) noexcept;
    std::optional<Outcome> consult(Context& context, const Error* returned, const Error& failure) noexcept;
    /// Whether nothing waits behind the message being handled. Not known with workers.
    bool idle() const { return inline_ && source_->pending() == 0; }

    static inline std::atomic<std::uint64_t> numbers_ = 0;

    const std::uint64_t number_ = ++numbers_;
    Link* link_;
    Host* host_;
    SubscriberSpec spec_;
    std::unique_ptr<Source> source_;
    const bool answers_;
    const std::shared_ptr<Clock> clock_;  // this and the next for a stop that comes when the broker is gone
    const std::chrono::milliseconds stop_timeout_;
    std::optional<Subject> subject_ = {};
    Innermost innermost_{*this};
    Chain chain_ = {};
    PublishRoute route_ = {};               // of chain_
    DeliveryObserver* observer_ = nullptr;  // of the host, since bind
    Results results_ = {};
    std::optional<std::size_t> order_token_ = {};
    Conclusion conclusion_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};  // life_
    SubscriberLife life_ = {};
    std::chrono::milliseconds asked_timeout_;  // of the stop, for a source that starts
    std::unique_ptr<Dispatcher> dispatcher_ =
        {};  // set once, before the first message; that path reads it without the lock
    bool inline_ = true;
    std::atomic<Intake> intake_ = Intake::open;

    std::atomic<std::uint64_t> received_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::atomic<std::uint64_t> skipped_ = 0;
    OncePerSecond drop_reports_ = {};
};

}  // namespace freshet::detail
