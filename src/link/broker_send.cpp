// SPDX-License-Identifier: Apache-2.0
// What a broker sends and asks: the way out.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/fork.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "broker/broker_core.hpp"
#include "link/publish_chain.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view content_type_header = "content-type";

std::unexpected<Error> bad_subject(std::string_view subject) {
    return std::unexpected{subject_error(subject, SubjectUse::publish)};
}

/// Feeds the mux from the inbox's subscription.
class InboxSink final : public MessageSink {
public:
    explicit InboxSink(RequestMux& mux) noexcept : mux_{mux} {}
    void on_message(Message message) noexcept override {
        const CallbackScope scope;
        const auto* const outer = std::exchange(feeding_, &mux_);
        mux_.on_reply(std::move(message));
        feeding_ = outer;
    }
    void on_end() noexcept override {}

    /// Whether this thread is giving out an answer of that mux.
    static bool feeds(const RequestMux& mux) noexcept { return feeding_ == &mux; }

private:
    static inline thread_local const RequestMux* feeding_ = nullptr;

    RequestMux& mux_;
};

/// A request whose answer goes to a function. Deletes itself at the end.
class AsyncReply final : public ReplySink {
public:
    AsyncReply(std::string_view subject, ReplyHandler handler, Logger& logger)
        : subject_{subject}, handler_{std::move(handler)}, logger_{logger} {}

    std::string_view subject() const noexcept override { return subject_; }
    void on_reply(Expected<Message> reply) noexcept override {
        const CallbackScope scope;
        try {
            handler_(std::move(reply));
        } catch (...) {
            logger_.error("the function that got the answer from {} threw: {}", quoted(subject_), exception_text());
        }
    }
    void on_end() noexcept override { delete this; }

private:
    std::string subject_;
    ReplyHandler handler_;
    Logger& logger_;
};

/// The answers to one request, queued between the mux and the thread that reads them.
class ManyReplies final : public ReplyQueue {
public:
    ManyReplies(RequestMux& mux, std::shared_ptr<Clock> clock, std::string_view subject)
        : mux_{mux}, clock_{std::move(clock)}, state_{std::make_unique<State>(subject)} {}
    ~ManyReplies() override {
        if (!ticket_) return;
        mux_.finish(*ticket_);
        std::unique_lock lock{state_->mutex};
        wait(*clock_, lock, state_->changed, [this] { return state_->ended; });
    }

    ReplySink& sink() noexcept { return *state_; }
    void opened(const RequestMux::Ticket& ticket) noexcept { ticket_ = ticket; }
    /// There was no ticket: nothing will come.
    void refused() noexcept { state_->on_end(); }

    std::string_view subject() const noexcept override { return state_->subject(); }
    std::optional<Expected<Message>> next() override {
        std::unique_lock lock{state_->mutex};
        wait(*clock_, lock, state_->changed, [this] { return state_->ended || !state_->replies.empty(); });
        if (state_->replies.empty()) return std::nullopt;
        auto reply = std::move(state_->replies.front());
        state_->replies.pop_front();
        return reply;
    }

private:
    struct State final : ReplySink {
        explicit State(std::string_view asked) : asked_subject{asked} {}
        std::string_view subject() const noexcept override { return asked_subject; }
        void on_reply(Expected<Message> reply) noexcept override {
            const std::lock_guard lock{mutex};
            replies.push_back(std::move(reply));
            changed.notify_all();
        }
        void on_end() noexcept override {
            const std::lock_guard lock{mutex};
            ended = true;
            changed.notify_all();
        }
        std::string asked_subject;
        std::mutex mutex = {};
        std::condition_variable changed = {};
        std::deque<Expected<Message>> replies = {};
        bool ended = false;
    };

    RequestMux& mux_;
    std::shared_ptr<Clock> clock_;  // the broker may go while somebody waits for the next
    std::unique_ptr<State> state_;
    std::optional<RequestMux::Ticket> ticket_ = {};
};

}  // namespace

std::string_view BrokerCore::correlation_in_scope() {
    const auto* context = HandlerScope::current();
    return context == nullptr ? std::string_view{} : ContextAccess::correlation_in_scope(*context);
}

bool BrokerCore::is_open() const noexcept {
    if (forked()) return false;  // before anything takes a lock: the thread that held it at the fork is not there
    switch (state_.load(std::memory_order_acquire)) {
        case State::subscribing:
        case State::running:
        case State::stopping: return true;
        default: return false;
    }
}

Error BrokerCore::not_open(std::string_view what, std::string_view subject) const {
    const auto tried = std::string{what} + " on " + quoted(subject);
    if (forked()) return forked_error(tried);
    const bool stopped = state_.load(std::memory_order_acquire) == State::stopped;
    return {Errc::closed, tried + (stopped ? ": the broker was stopped" : ": call start() or run() first")};
}

Expected<void> BrokerCore::send_around(const Publication& publication, std::string_view content_type,
                                       Outgoing::Kind kind) {
    const auto steps = publish_steps();
    if (steps.empty() || !passes_middleware(publication)) return send_enveloped(publication, content_type);
    return send_through(*this, steps, publication, content_type, kind);
}

std::span<PublishStep* const> BrokerCore::publish_steps() const noexcept {
    const auto* const context = HandlerScope::current();
    if (context == nullptr) return publish_steps_;
    const auto& consumer = ContextAccess::consumer(*context);
    return &consumer.core() == this ? consumer.chain().publish_steps() : publish_steps_;
}

Expected<void> BrokerCore::send(const Publication& publication, std::string_view content_type,
                                Outgoing::Kind kind) noexcept {
    try {
        if (around_publications_.load(std::memory_order_relaxed)) return send_around(publication, content_type, kind);
        return send_enveloped(publication, content_type);
    } catch (...) { return std::unexpected{exception_error()}; }
}

Expected<void> BrokerCore::send_enveloped(const Publication& publication, std::string_view content_type) {
    const bool full = options_.envelope == Envelope::full;
    const bool say_type = !content_type.empty() && (full || content_type != freshet::content_type(Format::json));
    const auto correlation = correlation_in_scope();
    if (!say_type && !full && correlation.empty()) return transport_->publish(publication);

    Headers headers = publication.headers != nullptr ? *publication.headers : Headers{};
    if (say_type && !headers.contains(content_type_header)) headers.set(content_type_header, content_type);
    if (!headers.contains(correlation_header)) {
        if (!correlation.empty()) headers.set(correlation_header, correlation);
        else if (full) headers.set(correlation_header, random_id());
    }
    Publication enveloped = publication;
    enveloped.headers = &headers;
    return transport_->publish(enveloped);
}

Expected<void> BrokerCore::publish(std::string_view subject, const Encoded& encoded, const PublishOptions& options) {
    if (!is_open()) return std::unexpected{not_open("publish", subject)};
    if (!may_publish_on(subject)) return bad_subject(subject);
    if (!options.reply_to.empty() && !may_publish_on(options.reply_to)) return bad_subject(options.reply_to);
    return send({.subject = subject,
                 .reply_to = options.reply_to,
                 .payload = encoded.body,
                 .headers = options.headers.empty() ? nullptr : &options.headers,
                 .flush = options.flush},
                encoded.content_type);
}

Expected<void> BrokerCore::open_inbox() {
    if (inbox_open_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock{inbox_mutex_};
    if (inbox_ != nullptr) return {};
    auto inbox = transport_->subscribe({.subject = std::string{mux_.inbox_wildcard()}, .lane = freshet::Lane::replies},
                                       std::make_shared<InboxSink>(mux_));
    if (!inbox) return std::unexpected{std::move(inbox).error()};
    inbox_ = *std::move(inbox);
    inbox_open_.store(true, std::memory_order_release);
    return {};
}

/// A lone request leaves at once, and one sent for an answer behind which no other waits takes the others along. Else it waits
/// for the next flush, with which many leave together.
bool BrokerCore::hurries_request() const {
    if (mux_.in_flight() == 0) return true;
    return InboxSink::feeds(mux_) && inbox_->pending() == 0;
}

std::chrono::milliseconds BrokerCore::timeout_or_default(std::chrono::milliseconds timeout) const noexcept {
    return std::min(timeout.count() > 0 ? timeout : options_.request_timeout, longest_timeout);
}

template <class Options, class Open>
Expected<RequestMux::Ticket> BrokerCore::ask(std::string_view subject, const Encoded& encoded, const Options& options,
                                             Open&& open) {
    if (options.timeout.count() < 0)
        return failure(Errc::timeout, fmt::format("request to {}: not sent, since its timeout is {} ms",
                                                  quoted(subject), options.timeout.count()));
    if (!is_open()) return std::unexpected{not_open("request", subject)};
    if (auto ready = open_inbox(); !ready) return std::unexpected{std::move(ready).error()};
    const auto flush = hurries_request() ? Flush::now : Flush::batched;
    auto ticket = open();
    if (!ticket) return ticket;
    const auto sent = send({.subject = subject,
                            .reply_to = ticket->reply_to(),
                            .payload = encoded.body,
                            .headers = options.headers.empty() ? nullptr : &options.headers,
                            .flush = flush},
                           encoded.content_type, Outgoing::Kind::request);
    if (!sent) mux_.cancel(*ticket, sent.error());
    return ticket;
}

Expected<Message> BrokerCore::request(std::string_view subject, const Encoded& encoded, const RequestOptions& options) {
    if (!may_publish_on(subject)) return bad_subject(subject);
    BlockingReply reply{subject};
    const auto clock = shared_clock();  // the broker may go when the answer has come
    const auto ticket =
        ask(subject, encoded, options, [&] { return mux_.open(reply, timeout_or_default(options.timeout)); });
    if (!ticket) return std::unexpected{ticket.error()};
    return reply.wait(*clock);
}

void BrokerCore::request_async(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                               ReplyHandler handler) {
    auto reply = std::make_unique<AsyncReply>(subject, std::move(handler), logger_);
    if (!may_publish_on(subject)) return reply->on_reply(bad_subject(subject));
    if (auto asked = request_into(*reply, subject, encoded, options); !asked)
        reply->on_reply(std::unexpected{std::move(asked).error()});
    else std::ignore = reply.release();  // on_end deletes it
}

Expected<void> BrokerCore::request_into(ReplySink& sink, std::string_view subject, const Encoded& encoded,
                                        const RequestOptions& options) {
    const auto ticket =
        ask(subject, encoded, options, [&] { return mux_.open(sink, timeout_or_default(options.timeout)); });
    if (!ticket) return std::unexpected{ticket.error()};
    return {};
}

std::unique_ptr<ReplyQueue> BrokerCore::request_many(std::string_view subject, const Encoded& encoded,
                                                     const RequestManyOptions& options) {
    auto replies = std::make_unique<ManyReplies>(mux_, shared_clock(), subject);
    const ManyLimits limits{.timeout = timeout_or_default(options.timeout),
                            .stall = options.stall,
                            .max_replies = options.max_replies,
                            .ends_at_empty = options.ends_at_empty};
    const auto ticket = may_publish_on(subject)
                            ? ask(subject, encoded, options, [&] { return mux_.open_many(replies->sink(), limits); })
                            : bad_subject(subject);
    if (ticket) {
        replies->opened(*ticket);
    } else {
        replies->sink().on_reply(std::unexpected{ticket.error()});
        replies->refused();
    }
    return replies;
}

Error bad_answer(std::string_view subject, const Error& error) {
    return {error.code(), "the answer to " + quoted(subject) + " cannot be decoded: " + error.what()};
}

Format default_format(const BrokerCore& core) noexcept { return core.options().format; }

Expected<void> publish(BrokerCore& core, std::string_view subject, const Encoded& encoded,
                       const PublishOptions& options) {
    return core.publish(subject, encoded, options);
}

Expected<Message> request(BrokerCore& core, std::string_view subject, const Encoded& encoded,
                          const RequestOptions& options) {
    return core.request(subject, encoded, options);
}

void request_async(BrokerCore& core, std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                   ReplyHandler handler) {
    core.request_async(subject, encoded, options, std::move(handler));
}

void refuse_async(BrokerCore& core, std::string_view subject, ReplyHandler handler, const Error& why) {
    AsyncReply{subject, std::move(handler), core.logger()}.on_reply(std::unexpected{why});
}

bool run_until(BrokerCore& core, const std::function<bool()>& done) {
    return run_until(core.clock(), TimePoint::max(), done);
}

std::unique_ptr<ReplyQueue> request_many(BrokerCore& core, std::string_view subject, const Encoded& encoded,
                                         const RequestManyOptions& options) {
    return core.request_many(subject, encoded, options);
}

}  // namespace freshet::detail
