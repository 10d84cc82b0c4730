// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/subject.hpp>
#include <freshet/subject_template.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

#include "base/callback_scope.hpp"
#include "base/once_per_second.hpp"
#include "delivery/chain.hpp"
#include "delivery/delivery_observer.hpp"
#include "delivery/host.hpp"
#include "delivery/workers.hpp"

namespace freshet::detail {

/// One subscriber at work: takes messages from the transport, runs the handler (in the transport's thread or on workers), answers,
/// publishes, counts. Knows nothing of the handler's types.
class SubscriberCore final : public MessageSink, public std::enable_shared_from_this<SubscriberCore> {
public:
    /// `link` and `host` must outlive every delivery.
    SubscriberCore(Link& link, Host& host, SubscriberSpec spec);
    ~SubscriberCore() override;

    /// Checks everything that can be wrong before the first message; each problem is added to `problems`.
    void bind(std::vector<std::string>& problems);
    /// Looks up again what the handler takes. While none runs.
    void rebind();
    /// Subscribes. Messages may come before it returns.
    Expected<void> start();

    /// The broker stops: the source asks for nothing more. Does not wait.
    void quiesce() noexcept;
    /// Takes nothing new and lets what has arrived be handled; does not wait.
    void begin_stop(std::chrono::milliseconds timeout);
    /// Waits until the transport delivers no more, then until the workers are empty. False when `deadline` passed.
    bool finish_stop(TimePoint deadline);
    /// What Subscriber::stop does. The broker may be gone.
    void stop();
    /// If it was not started, it will not be.
    void abandon() noexcept;
    /// Waits for handlers that still run, however long they take. After the transport was closed.
    void join();
    /// It was stopped and nothing of it runs any more.
    bool finished() const;

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;
    bool on_dropped(std::uint64_t count) noexcept override;

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

    /// For a handler that takes messages away: handles a batch of them.
    Outcome run_batch(Context& context) noexcept { return run_chain(context); }
    void count_batch(std::uint64_t failed, std::uint64_t rejected) noexcept {
        failed_.fetch_add(failed, std::memory_order_relaxed);
        rejected_.fetch_add(rejected, std::memory_order_relaxed);
    }

    /// Differs from that of every other subscriber of the program, past ones too.
    std::uint64_t number() const noexcept { return number_; }

    /// Whether somebody waits for an answer.
    bool answer_wanted(const Context& context) const noexcept {
        return answers(context.message()) && !ContextAccess::answered(context);
    }
    /// Whether an answer or a publication would reach anybody.
    bool result_wanted(const Context& context) const noexcept;
    /// Answers the request, then publishes to every target.
    Expected<void> emit(Context& context, const Encoded& encoded, const Headers* headers);

    const Chain& chain() const noexcept { return chain_; }

    /// What becomes of the delivery after the exception in flight, which the handler or a middleware threw.
    Outcome caught(Context& context) noexcept;
    /// The same if it is Ack, Nack, Reject or Skip.
    std::optional<Outcome> outcome_thrown(Context& context) noexcept;

private:
    struct Innermost final : Step {
        explicit Innermost(SubscriberCore& owner) noexcept : subscriber{owner} {}
        Outcome run(Context& context, Next) override {
            return ContextAccess::take_decision(context, subscriber.handle(context));
        }
        SubscriberCore& subscriber;
    };
    struct Target {
        SubjectTemplate subject;
        std::vector<std::size_t> tokens = {};  // of the incoming subject, one per parameter
    };

    void bind_handler(Binder& binder);
    void bind_targets(std::vector<std::string>& problems);
    void bind_order(std::vector<std::string>& problems);
    void make_workers();
    Expected<std::size_t> order_of(const Message& message) const;

    void process(Message message) noexcept;
    /// Settles what waits in the workers, if the source wants it back.
    void give_back() noexcept;
    void reject(Message message, const Error& why) noexcept;
    void bind_chain(Binder& binder);
    Outcome run(Context& context) noexcept;
    Outcome run_chain(Context& context) noexcept;
    /// The handler and what is said of its failure; what the innermost middleware wraps.
    Outcome handle(Context& context) noexcept;
    std::optional<Outcome> consult(Context& context, const Error* returned, const Error& failure) noexcept;
    void conclude(Context& context, const Outcome& returned) noexcept;
    void report_failure(Context& context, const Error& failure, bool rejected) noexcept;
    bool idle() const;
    void answer_error(const Message& request, const Error& error, int code) noexcept;
    bool answers(const Message& message) const noexcept { return answers_ && !message.reply_to().empty(); }
    Expected<void> publish_target(const Target& target, const Message& incoming, const Encoded& encoded,
                                  const Headers* headers);

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
    std::vector<Target> targets_ = {};
    std::optional<std::size_t> order_token_ = {};
    std::unique_ptr<Workers> workers_ = {};  // made before the first message, and kept: threads look at it

    mutable std::mutex mutex_ = {};
    std::condition_variable ended_changed_ = {};
    bool batches_ = false;  // the handler takes messages away
    bool started_ = false;
    bool ended_ = false;
    bool finished_ = false;

    std::atomic<std::uint64_t> received_ = 0;
    std::atomic<std::uint64_t> failed_ = 0;
    std::atomic<std::uint64_t> rejected_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::atomic<std::uint64_t> skipped_ = 0;
    OncePerSecond drop_reports_ = {};
};

}  // namespace freshet::detail
