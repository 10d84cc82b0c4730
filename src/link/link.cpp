// SPDX-License-Identifier: Apache-2.0
#include "link/link.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <freshet/future.hpp>
#include <freshet/subject.hpp>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/fork.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "link/handler_scope.hpp"
#include "link/publish_chain.hpp"
#include "link/reply_sinks.hpp"
#include "link/request_group.hpp"
#include "link/stream_ack.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view content_type_header = "content-type";

std::unexpected<Error> bad_subject(std::string_view subject) {
    return std::unexpected{subject_error(subject, SubjectUse::publish)};
}

bool is_of_service(const Message& message) noexcept { return !is_stream_ack(message); }

/// Returns the function that accepts the answers for a request; null: all count.
ReplySink::Wanted wanted(AnswersOf whose, std::string_view subject) noexcept {
    return whose == AnswersOf::anybody || subject.starts_with('$') ? nullptr : &is_of_service;
}

}  // namespace

std::string_view correlation_in_scope() {
    const auto* const handler = HandlerScope::current();
    return handler == nullptr ? std::string_view{} : handler->correlation();
}

Link::Link(BrokerOptions options, const MakeTransport& make_transport)
    : options_{std::move(options)},
      logger_{options_.logger},
      clock_{std::make_shared<BrokerClock>()},
      transport_{make_transport(options_)},
      mux_{*clock_, options_.inbox_prefix},
      has_listener_{options_.on_event != nullptr} {}

void Link::replace(const MakeTransport& make_transport, std::shared_ptr<Clock> clock,
                   std::shared_ptr<spdlog::logger> logger) {
    if (logger != nullptr) logger_ = Logger{std::move(logger)};
    if (clock != nullptr) clock_->replace(std::move(clock));
    if (make_transport) transport_ = make_transport(options_);
}

void Link::set_publish_steps(std::vector<PublishStep*> steps) {
    publish_steps_ = std::move(steps);
    if (!publish_steps_.empty()) expect_publish_steps();
}

void Link::close_requests(const Error& error) noexcept {
    const CallbackScope scope;  // tells functions given to async, and such a function may destroy a broker
    mux_.close(error);
}

void Link::request_stop() noexcept {
    const CallbackScope scope;  // a std::stop_callback of a handler may stop or destroy a broker
    stop_source_.request_stop();
}

bool Link::is_open() const noexcept {
    if (forked()) return false;  // before any lock: in the child, the thread that held it is missing
    return phase_.load(std::memory_order_acquire) == Phase::open;
}

Error Link::not_open(std::string_view what, std::string_view subject) const {
    auto tried = std::string{what};
    if (!subject.empty()) tried += " on " + quoted(subject);
    if (forked()) return forked_error(tried);
    const bool stopped = phase_.load(std::memory_order_acquire) == Phase::closed;
    return {Errc::closed, tried + (stopped ? ": the broker was stopped"
                                           : ": the broker was not started; call start() or run() first")};
}

Expected<void> Link::send_around(const Publication& publication, std::string_view content_type, Outgoing::Kind kind) {
    const auto steps = publish_steps();
    if (steps.empty() || !passes_middleware(publication)) return send_enveloped(publication, content_type);
    const Background::Call call{background_};
    return send_through(*this, steps, publication, content_type, kind);
}

std::span<PublishStep* const> Link::publish_steps() const noexcept {
    const auto* const handler = HandlerScope::current();
    return handler != nullptr && handler->route().link == this ? handler->route().steps : publish_steps_;
}

Expected<void> Link::send(const Publication& publication, std::string_view content_type, Outgoing::Kind kind) noexcept {
    try {
        if (around_publications_.load(std::memory_order_relaxed)) return send_around(publication, content_type, kind);
        return send_enveloped(publication, content_type);
    } catch (...) { return std::unexpected{exception_error()}; }
}

Expected<void> Link::send_enveloped(const Publication& publication, std::string_view content_type) {
    const bool full = options_.envelope == Envelope::full;
    const bool say_type = !content_type.empty() && (full || content_type != freshet::content_type(Format::json));
    const auto correlation = correlation_in_scope();
    const auto lacks = [&](std::string_view name) {
        return publication.headers == nullptr || !publication.headers->contains(name);
    };
    const bool add_type = say_type && lacks(content_type_header);
    const bool add_correlation = (full || !correlation.empty()) && lacks(correlation_header);
    if (!add_type && !add_correlation) return transport_->publish(publication);

    Headers headers = publication.headers != nullptr ? *publication.headers : Headers{};
    if (add_type) headers.set(content_type_header, content_type);
    if (add_correlation) headers.set(correlation_header, correlation.empty() ? random_id() : correlation);
    Publication enveloped = publication;
    enveloped.headers = &headers;
    return transport_->publish(enveloped);
}

Expected<void> Link::publish_counted(PublishCounts& counts, std::string_view subject, const Encoded& encoded,
                                     const PublishOptions& options) {
    return counts.count(*clock_, [&] { return publish(subject, encoded, options); });
}

Expected<void> Link::publish(std::string_view subject, const Encoded& encoded, const PublishOptions& options) {
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

Expected<void> Link::open_inbox() {
    if (inbox_open_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock{inbox_mutex_};
    if (inbox_refused_) return std::unexpected{*inbox_refused_};
    if (inbox_ != nullptr) return {};
    auto inbox = transport_->subscribe({.subject = std::string{mux_.inbox_wildcard()}, .lane = freshet::Lane::replies},
                                       std::make_shared<InboxSink>(mux_));
    if (!inbox) return std::unexpected{std::move(inbox).error()};
    inbox_ = *std::move(inbox);
    inbox_open_.store(true, std::memory_order_release);
    return {};
}

/// Returns true if a request is to leave at once: if no other is in flight, or if it is sent while the last answer that
/// waits is given out, when it takes the other batched requests along. Any other request waits for the next flush, and
/// many leave together.
bool Link::hurries_request() const {
    if (mux_.in_flight() == 0) return true;
    return InboxSink::feeds(mux_) && inbox_->pending() == 0;
}

std::chrono::milliseconds Link::timeout_or_default(std::chrono::milliseconds timeout) const noexcept {
    return std::min(timeout.count() > 0 ? timeout : options_.request_timeout, longest_timeout);
}

template <class Options, class Open>
Expected<RequestMux::Ticket> Link::ask(std::string_view subject, const Encoded& encoded, const Options& options,
                                       Open&& open_ticket, freshet::Lane lane) {
    if (options.timeout.count() < 0)
        return failure(Errc::timeout,
                       fmt::format("request on {}: not sent, since its timeout is {} ms; a time cannot be negative",
                                   quoted(subject), options.timeout.count()));
    if (!is_open()) return std::unexpected{not_open("request", subject)};
    if (auto ready = open_inbox(); !ready) return std::unexpected{std::move(ready).error()};
    std::optional<Background::Call> call;  // a publish middleware may destroy the broker
    if (around_publications_.load(std::memory_order_relaxed)) call.emplace(background_);
    const auto flush = hurries_request() ? Flush::now : Flush::batched;
    auto ticket = open_ticket();
    if (!ticket) return ticket;
    const auto sent = send({.subject = subject,
                            .reply_to = ticket->reply_to(),
                            .payload = encoded.body,
                            .headers = options.headers.empty() ? nullptr : &options.headers,
                            .flush = flush,
                            .lane = lane},
                           encoded.content_type, Outgoing::Kind::request);
    if (!sent) mux_.cancel(*ticket, sent.error());
    return ticket;
}

Expected<Message> Link::request(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                                AnswersOf whose, RequestTimer timer) {
    const auto refused = [&](const Error& error) {
        timer.end(&error);
        return std::unexpected{error};
    };
    if (!may_publish_on(subject)) return refused(subject_error(subject, SubjectUse::publish));
    if (!may_wait()) return refused(wait_refused("request on " + quoted(subject)));
    BlockingReply reply{subject, wanted(whose, subject), timer};
    const auto clock = shared_clock();  // the broker may go when the answer has come
    const auto ticket =
        ask(subject, encoded, options, [&] { return mux_.open(reply, timeout_or_default(options.timeout)); });
    if (!ticket) return refused(ticket.error());
    auto answer = reply.wait(*clock);
    if (!answer && reply.left_out()) return std::unexpected{with_left_out(answer.error())};
    return answer;
}

Expected<Message> Link::request_in(RequestGroup& group, std::string_view subject, const Encoded& encoded,
                                   const RequestOptions& options) {
    if (!may_publish_on(subject)) return bad_subject(subject);
    if (!may_wait()) return std::unexpected{wait_refused("request on " + quoted(subject))};
    BlockingReply reply{subject};
    const auto clock = shared_clock();  // the broker may go when the answer has come
    const auto ticket =
        ask(subject, encoded, options, [&] { return mux_.open(reply, timeout_or_default(options.timeout)); });
    if (!ticket) return std::unexpected{ticket.error()};
    group.begin(mux_, *ticket);
    auto answer = reply.wait(*clock);
    group.end();
    return answer;
}

void Link::request_async(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                         ReplyHandler handler, AnswersOf whose, RequestTimer timer, freshet::Lane lane) {
    auto reply = std::make_unique<AsyncReply>(subject, std::move(handler), *this, wanted(whose, subject), timer);
    if (!may_publish_on(subject)) return reply->on_reply(bad_subject(subject));
    if (auto asked = request_into(*reply, subject, encoded, options, lane); !asked)
        reply->on_reply(std::unexpected{std::move(asked).error()});
    else std::ignore = reply.release();  // on_end deletes it
}

Expected<void> Link::request_into(ReplySink& sink, std::string_view subject, const Encoded& encoded,
                                  const RequestOptions& options, freshet::Lane lane) {
    const auto ticket =
        ask(subject, encoded, options, [&] { return mux_.open(sink, timeout_or_default(options.timeout)); }, lane);
    if (!ticket) return std::unexpected{ticket.error()};
    return {};
}

std::unique_ptr<ReplyQueue> Link::request_many(std::string_view subject, const Encoded& encoded,
                                               const RequestManyOptions& options, AnswersOf whose, RequestTimer timer) {
    auto replies = std::make_unique<ManyReplies>(mux_, shared_clock(), subject, wanted(whose, subject), timer);
    const ManyLimits limits{.timeout = timeout_or_default(options.timeout),
                            .stall = options.stall,
                            .max_replies = options.max_replies,
                            .ends_at_empty = options.ends_at_empty};
    const auto ticket = [&]() -> Expected<RequestMux::Ticket> {
        if (!may_publish_on(subject)) return bad_subject(subject);
        if (!may_wait()) return std::unexpected{wait_refused("request_many on " + quoted(subject))};
        return ask(subject, encoded, options, [&] { return mux_.open_many(replies->sink(), limits); });
    }();
    if (ticket) {
        replies->opened(*ticket);
    } else {
        replies->sink().on_reply(std::unexpected{ticket.error()});
        replies->refused();
    }
    return replies;
}

Expected<void> Link::connect(std::chrono::milliseconds wait, EventSink events) {
    try {
        clock_->begin();
    } catch (const std::system_error& error) {
        return std::unexpected{Error{
            error.code(), std::string{"cannot start: cannot make the thread that watches deadlines: "} + error.what()}};
    }
    transport_->on_loss([this] { tell_change(ConnectionChange::doubtful); });
    return transport_->open(wait, std::move(events));
}

Expected<std::chrono::nanoseconds> Link::ping(std::chrono::milliseconds timeout) {
    if (!may_wait()) return std::unexpected{wait_refused("ping")};
    if (!is_open()) return std::unexpected{not_open("ping", {})};
    const auto begin = clock_->now();
    if (auto flushed = transport_->flush(timeout); !flushed) return std::unexpected{std::move(flushed).error()};
    return clock_->now() - begin;
}

}  // namespace freshet::detail
