// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/subject.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

#include "base/once_per_second.hpp"
#include "delivery/access_log.hpp"
#include "delivery/chain.hpp"
#include "delivery/conclusion.hpp"
#include "delivery/confirmer.hpp"
#include "delivery/delivery_observer.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/host.hpp"
#include "delivery/results.hpp"
#include "delivery/stall_watch.hpp"
#include "delivery/subscriber_counts.hpp"
#include "delivery/subscriber_life.hpp"
#include "link/handler_scope.hpp"

namespace freshet::detail {

/// One subscriber at work: its life from the declaration to the end, and the handling of its messages, which a
/// dispatcher brings to it from the source. Knows nothing of the handler's types.
class SubscriberCore final : public MessageSink, public Handling, public std::enable_shared_from_this<SubscriberCore> {
public:
    /// `link` and `host` must outlive every delivery.
    SubscriberCore(Link& link, Host& host, SubscriberSpec spec);
    /// Waits for the handlers that still run.
    ~SubscriberCore() override;

    /// Checks everything that can be checked before the first message, and adds each problem to `problems`.
    void bind(std::vector<std::string>& problems);
    /// Looks up the handler's objects again. Call it while no handler runs.
    void rebind();

    /// Declares the streams that the source reads. Call it for all subscribers before the first is started. Blocks.
    Expected<void> declare();
    /// Subscribes. Messages may come before it returns. Does nothing, and succeeds, after a stop.
    Expected<void> start();
    /// Keeps the source from asking for more, because the broker stops. Does not wait.
    void quiesce() noexcept;
    /// Has the source stop; messages that have arrived are still handled. Does not wait.
    void begin_stop(std::chrono::milliseconds timeout);
    /// Blocks until no message waits and no handler runs. At `deadline` it gives back or drops the messages that wait
    /// and returns false; handlers that run go on.
    bool finish_stop(TimePoint deadline);
    /// Stops the subscriber, and blocks for stop_timeout at most, inside a callback not at all. The broker may be gone.
    void stop();
    /// Ends a subscriber that was not started, so that it never starts. Does nothing to any other.
    void abandon() noexcept;
    /// Gives back or drops the messages that wait, and blocks until no handler runs, however long that takes. Call it
    /// after the transport was closed.
    void join();
    /// Gives back or drops messages that have not reached the handler, now and later. Does not wait.
    void discard() noexcept;
    /// Returns true if the subscriber has ended and nothing of it runs any more.
    bool finished() const;
    /// Has the host act on the loss of a subscriber that says so (SubscriberOptions::on_lost), also on one that came
    /// before. Call it when the start has found no refusal.
    void heed_losses() noexcept;
    /// Returns why no messages come; nothing while they may.
    std::optional<Error> lost() const;

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;
    bool on_dropped(std::uint64_t count) noexcept override;
    void on_lost(const Error& why) noexcept override;
    void on_back() noexcept override;

    void handle(Message message) noexcept override;
    void handle(std::vector<Message> batch) noexcept override;
    void reject(Message message, const Error& why) noexcept override;
    void on_emptied() noexcept override;
    /// Handles a message in the calling thread.
    void process(Message& message) noexcept;

    Link& link() const noexcept { return *link_; }
    Host& host() const noexcept { return *host_; }
    DeliveryObserver* observer() const noexcept { return observer_; }
    const SubscriberSpec& spec() const noexcept { return spec_; }
    const std::optional<Subject>& subject() const noexcept { return subject_; }
    Source& source() const noexcept { return *source_; }
    SubscriberStats stats() const;
    SubscriberCounts& counts() noexcept { return counts_; }
    /// Returns the number of messages that wait.
    std::size_t pending() const;
    void count_dropped() noexcept;

    /// Returns a number that no other subscriber of the program has or had.
    std::uint64_t number() const noexcept { return number_; }

    /// Returns true if the caller waits for an answer that was not sent yet.
    bool answer_wanted(const Context& context) const noexcept {
        return answers_ && !context.message().reply_to().empty() && !ContextAccess::answered(context);
    }
    /// Returns true if the handler's result is to be answered or published.
    bool result_wanted(const Context& context) const noexcept {
        return answer_wanted(context) || (!results_.empty() && !ContextAccess::answers_only(context));
    }
    /// Returns true if the subscriber gets the messages that are published on `subject`, and answers those that ask.
    bool answers_on(std::string_view subject) const noexcept {
        return answers_ && subject_ && subject_->matches(subject);
    }
    /// Answers the request, then publishes to every target. Stops at the first that fails.
    Expected<void> emit(Context& context, const Encoded& encoded, const Headers* headers);
    /// Publishes for the handler: see Context::publish. `item` is a message of the context's batch, or null.
    Expected<void> publish(Context& context, const Item* item, std::string_view subject, const Encoded& encoded,
                           const PublishOptions& options);
    /// Blocks until what the handler has published so far is confirmed, until `deadline` at most.
    Expected<void> await_confirmations(Context& context, TimePoint deadline);

    /// Notes that a delivery ends after its handler; end_postponed() must follow. The subscriber is not finished
    /// before.
    void postpone() noexcept { open_.fetch_add(1, std::memory_order_relaxed); }
    void end_postponed() noexcept;

    /// Returns the outcome of the delivery after the exception in flight, which the handler or a middleware threw.
    Outcome caught(Context& context) noexcept;
    /// Returns the outcome that the exception in flight stands for, if it is Ack, Nack, Reject or Skip.
    std::optional<Outcome> outcome_thrown(Context& context) noexcept;

    /// Writes a failure that comes with a delivery to the log, or counts it: see FailureLog.
    void log_failure(Context& context, FailureLog::Kind kind, std::string_view what, const Error& why,
                     LogLevel level = LogLevel::error) noexcept {
        conclusion_.log(context, kind, what, why, level);
    }

private:
    struct Innermost final : Step {
        explicit Innermost(SubscriberCore& owner) noexcept : subscriber{owner} {}
        Outcome run(Context& context, Next) override {
            return ContextAccess::take_decision(context, subscriber.call_handler(context));
        }
        SubscriberCore& subscriber;
    };
    /// The treatment of messages that have not reached the handler. See docs/architecture.md.
    enum class Intake : std::uint8_t {
        open,        ///< they are handled
        closing,     ///< they go back to a source that wants them back; else they are handled
        discarding,  ///< they go back to such a source; else they are dropped: the time of a stop is over
    };

    void bind_handler(Binder& binder);
    void bind_chain(Binder& binder);
    void bind_order(Binder& binder);

    void make_dispatcher();
    Expected<void> start_source();
    Expected<void> look_up_targets();
    /// Warns if nobody keeps the messages that the source gives up. Blocks.
    void look_up_dead_letter();
    /// Publishes into a stream for the handler of `message`, which names the publication.
    Expected<void> publish_confirmed(Context& context, const Message& message, std::string_view subject,
                                     const Encoded& encoded, const Headers* headers);
    /// Publishes what the handler of a batch has published, and blocks until it is confirmed. Returns the outcome of
    /// the batch.
    Outcome publish_letters(Context& context, const Outcome& outcome) noexcept;
    /// Handles a batch, as one: counts nothing.
    void process(std::span<Item> items) noexcept;
    /// Returns true if the batch failed, and its messages are to be handed on one by one.
    bool isolates(Context& context) const noexcept;
    /// Ends the delivery of the messages that have an outcome of their own, and hands on the others one by one.
    void isolate(Context& context, std::span<Item> items) noexcept;
    /// Tells the handler the end and closes the dispatcher, after the source has ended or instead of its start.
    void end() noexcept;
    void close_intake(Intake to) noexcept;
    /// Gives back or drops the messages that wait.
    void turn_away_waiting() noexcept;
    /// Gives back or drops a message, if it is not to be handled any more. Returns false if it is to be handled.
    bool turn_away(Message& message) noexcept;
    bool turns_away() const noexcept { return intake_.load(std::memory_order_relaxed) != Intake::open; }
    Dispatcher* dispatcher() const noexcept;

    Outcome run_chain(Context& context) noexcept;
    /// Calls the handler, and the on_error functions if it fails. The innermost middleware wraps this.
    Outcome call_handler(Context& context) noexcept;
    std::optional<Outcome> consult(Context& context, const Error* returned, const Error& failure) noexcept;
    /// Returns true if no message waits behind the one that is being handled; with workers always false.
    bool idle() const { return inline_ && source_->pending() == 0; }

    static inline std::atomic<std::uint64_t> numbers_ = 0;

    const std::uint64_t number_ = ++numbers_;
    Link* link_;
    Host* host_;
    SubscriberSpec spec_;
    std::unique_ptr<Source> source_;
    const bool answers_;
    const std::shared_ptr<Clock> clock_;  // a stop may need this and the next when the broker is gone
    const std::chrono::milliseconds stop_timeout_;
    std::optional<Subject> subject_ = {};
    AccessLogStep access_log_ = {};
    Innermost innermost_{*this};
    Chain chain_ = {};
    PublishRoute route_ = {};               // its steps belong to chain_
    DeliveryObserver* observer_ = nullptr;  // the host's, set by bind()
    Results results_ = {};
    Confirmer* confirmer_ = nullptr;  // the source's, set by start(); null: the messages are not acknowledged
    std::optional<std::size_t> order_token_ = {};
    SubscriberCounts counts_;
    Conclusion conclusion_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};  // notified when life_ is finished
    SubscriberLife life_ = {};
    std::unique_ptr<Dispatcher> dispatcher_ = {};  // set once before on_message, which reads it without the lock
    bool inline_ = true;
    std::optional<Error> lost_ = {};
    bool heeds_losses_ = false;
    std::atomic<Intake> intake_ = Intake::open;
    std::atomic<std::size_t> open_ = 1;  // the dispatcher, until it is empty, and the postponed deliveries

    OncePerSecond drop_reports_ = {};
    SharingSubscriber sharing_ = {};  // last, since it shows the members above to watches
};

}  // namespace freshet::detail
