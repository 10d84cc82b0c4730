// SPDX-License-Identifier: Apache-2.0
#include "delivery/subscriber_core.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <freshet/ack_policy.hpp>
#include <freshet/app.hpp>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "delivery/core_source.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

/// Answers errors of the caller's making and of ours, as HTTP statuses (ADR-32 leaves the code to the service).
constexpr int code_rejected = 400;
constexpr int code_failed = 500;

/// What the caller is told of an error that the handler did not give a code.
int code_of(const Error& error) {
    if (error.remote_code() != 0) return error.remote_code();
    switch (error.condition().value_or(Condition::remote)) {
        case Condition::not_found: return 404;
        case Condition::already_exists:
        case Condition::wrong_revision: return 409;
        case Condition::no_responders:
        case Condition::disconnected: return 503;
        case Condition::timeout: return 504;
        default: return code_failed;
    }
}

/// What is said of a message that a handler neither handled nor failed at.
std::string verdict(const Outcome& outcome) {
    std::string text = outcome.kind() == Outcome::Kind::term ? "the handler said term" : "the handler said nack";
    if (!outcome.reason().empty()) text.append(": ").append(outcome.reason());
    return text;
}

class SubscriberBinder final : public Binder {
public:
    SubscriberBinder(const Subject& subject, const SubscriberCore& subscriber, std::vector<std::string>& problems)
        : subject_{subject}, subscriber_{subscriber}, problems_{problems} {}

    std::optional<std::size_t> token_of(std::string_view name) const override { return subject_.token_of(name); }
    void* provided(const std::type_info& type) const override {
        if (auto* const observer = subscriber_.observer()) observer->on_inject(subject_.pattern(), type);
        return subscriber_.host().provided(type);
    }
    std::shared_ptr<Clock> clock() const override { return subscriber_.link().shared_clock(); }
    const void* replacement(const void* key) const noexcept override { return subscriber_.host().replacement(key); }
    void problem(std::string text) override {
        text.insert(0, "subscriber " + quoted(subject_.pattern()) + ": ");
        // Two parameters may miss the same.
        if (std::ranges::find(problems_, text) == problems_.end()) problems_.push_back(std::move(text));
    }

private:
    const Subject& subject_;
    const SubscriberCore& subscriber_;
    std::vector<std::string>& problems_;
};

}  // namespace

SubscriberCore::SubscriberCore(Link& link, Host& host, SubscriberSpec spec)
    : link_{&link},
      host_{&host},
      spec_{std::move(spec)},
      source_{spec_.source != nullptr ? std::move(spec_.source) : std::make_unique<CoreSource>(spec_.options)},
      answers_{!spec_.options.no_reply && source_->answerable()},
      clock_{link.shared_clock()},
      stop_timeout_{link.options().stop_timeout} {}

SubscriberCore::~SubscriberCore() = default;

void SubscriberCore::bind(std::vector<std::string>& problems) {
    auto parsed = Subject::parse(spec_.subject);
    if (!parsed) {
        problems.emplace_back(parsed.error().message());
        return;
    }
    subject_ = *std::move(parsed);
    observer_ = host_->observer();
    SubscriberBinder binder{*subject_, *this, problems};
    if (!spec_.cases.empty()) spec_.handler = make_filtered(std::move(spec_.cases), std::move(spec_.handler));
    if (spec_.handler == nullptr) binder.problem("it has no handler; call .handle(...)");
    else bind_handler(binder);
    bind_chain(binder);
    source_->bind(*subject_, binder);
    bind_targets(problems);
    bind_order(problems);
}

void SubscriberCore::bind_chain(Binder& binder) {
    route_ = {.link = link_};
    if (spec_.bare) return;
    std::vector<std::shared_ptr<const Layer>> layers{host_->layer()};
    layers.insert(layers.end(), spec_.layers.begin(), spec_.layers.end());
    if (spec_.own != nullptr) layers.push_back(spec_.own);
    chain_.bind(layers, binder, innermost_);
    route_ = {.link = link_, .steps = chain_.publish_steps()};
    if (!chain_.publish_steps().empty()) link_->expect_publish_steps();
}

void SubscriberCore::rebind() {
    if (!subject_ || spec_.handler == nullptr) return;
    std::vector<std::string> known;  // since bind
    SubscriberBinder binder{*subject_, *this, known};
    spec_.handler->bind(binder);
    bind_chain(binder);
}

void SubscriberCore::bind_handler(Binder& binder) {
    batches_ = spec_.handler->configure(spec_.options);
    if (!batches_ && spec_.options.batch.size > 0)
        binder.problem("it has batch options, so its handler must take std::span<const T>");
    if (spec_.handler->takes_body()) source_->expect_bodies(binder);
    spec_.handler->bind(binder);
}

void SubscriberCore::bind_targets(std::vector<std::string>& problems) {
    SubscriberBinder binder{*subject_, *this, problems};
    targets_.clear();
    for (const auto& text : spec_.publish_to) {
        auto parsed = SubjectTemplate::parse(text);
        if (!parsed) {
            binder.problem("publish_to: " + std::string{parsed.error().message()});
            continue;
        }
        Target target{*std::move(parsed)};
        for (const auto& name : target.subject.names()) {
            const auto token = subject_->token_of(name);
            if (!token)
                binder.problem("publish_to " + quoted(text) + " names {" + name + "}, which the subject does not have");
            target.tokens.push_back(token.value_or(0));
        }
        targets_.push_back(std::move(target));
    }
}

void SubscriberCore::bind_order(std::vector<std::string>& problems) {
    const auto& key = spec_.options.ordered_by;
    if (key.path().empty()) return;
    order_token_ = subject_->token_of(key.path());
    if (!order_token_) {
        SubscriberBinder{*subject_, *this, problems}.problem("ordered_by names {" + key.path() +
                                                             "}, which the subject does not have");
    }
}

void SubscriberCore::make_workers() {
    const auto& options = spec_.options;
    if (!host_->threads() || (options.workers <= 1 && !options.dedicated)) return;
    workers_ = std::make_unique<Workers>(WorkersOptions{.threads = options.workers > 1 ? options.workers : 1,
                                                        .order = options.ordered_by.set() ? WorkerOrder::by_key
                                                                                          : WorkerOrder::none,
                                                        .max_messages = options.max_pending_messages,
                                                        .max_bytes = options.max_pending_bytes,
                                                        .clock = clock_.get()},
                                         [this](Message message) noexcept { process(std::move(message)); });
}

Expected<void> SubscriberCore::start() {
    {
        const std::lock_guard lock{mutex_};
        if (ended_) return {};  // stopped meanwhile
        make_workers();
        started_ = true;
    }
    auto started = source_->start(*link_, *subject_, shared_from_this());
    if (!started) on_end();
    return started;
}

void SubscriberCore::begin_stop(std::chrono::milliseconds timeout) {
    {
        const std::lock_guard lock{mutex_};
        if (ended_) return;
    }
    source_->stop(timeout);
    give_back();
}

void SubscriberCore::quiesce() noexcept {
    source_->quiesce();
    give_back();
}

void SubscriberCore::give_back() noexcept {
    if (workers_ == nullptr || !source_->wants_back()) return;
    for (auto& message : workers_->take_waiting())
        source_->settle(std::move(message), {.outcome = Outcome::nack(), .untouched = true});
}

bool SubscriberCore::finish_stop(TimePoint deadline) {
    {
        std::unique_lock lock{mutex_};
        if (!wait_until(*clock_, lock, ended_changed_, deadline, [this] { return ended_ || !started_; })) return false;
    }
    if (workers_ != nullptr && !workers_->close_and_drain(deadline)) return false;
    const std::lock_guard lock{mutex_};
    finished_ = true;
    return true;
}

void SubscriberCore::join() {
    std::unique_lock lock{mutex_};
    wait(*clock_, lock, ended_changed_, [this] { return ended_ || !started_; });
    finished_ = true;
    lock.unlock();  // the workers' threads are joined without it
    if (workers_ != nullptr) workers_->join();
}

void SubscriberCore::stop() {
    if (finished()) return;
    abandon();
    begin_stop(stop_timeout_);
    if (!CallbackScope::inside()) finish_stop(clock_->now() + stop_timeout_);
}

bool SubscriberCore::finished() const {
    const std::lock_guard lock{mutex_};
    return finished_ || (ended_ && workers_ == nullptr);
}

void SubscriberCore::on_message(Message message) noexcept {
    if (workers_ == nullptr) return process(std::move(message));
    const auto key = order_of(message);
    if (!key) return reject(std::move(message), key.error());
    if (!workers_->push(std::move(message), *key)) count_dropped();
}

void SubscriberCore::on_end() noexcept {
    if (spec_.handler != nullptr) spec_.handler->end();
    const std::lock_guard lock{mutex_};
    ended_ = true;
    ended_changed_.notify_all();
}

void SubscriberCore::abandon() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (started_) return;
    }
    on_end();
}

Expected<std::size_t> SubscriberCore::order_of(const Message& message) const {
    if (order_token_) return std::hash<std::string_view>{}(token_at(message.subject(), *order_token_));
    const auto& function = spec_.options.ordered_by.function();
    try {
        return function ? function(message) : 0;
    } catch (...) { return failure(Errc::bad_payload, "ordered_by threw: " + exception_text()); }
}

void SubscriberCore::count_dropped() noexcept {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    on_dropped(0);
}

bool SubscriberCore::on_dropped(std::uint64_t) noexcept {
    if (!drop_reports_.pass(link_->clock().now())) return true;
    const ConnectionEvent event{
        .kind = ConnectionEvent::Kind::slow_consumer,
        .detail = "messages are dropped: more wait than max_pending_messages or max_pending_bytes allow",
        .subject = spec_.subject,
        .dropped = stats().dropped};
    link_->log(event);
    link_->tell(event);
    return true;
}

SubscriberStats SubscriberCore::stats() const {
    SubscriberStats stats{.received = received_.load(std::memory_order_relaxed),
                          .failed = failed_.load(std::memory_order_relaxed),
                          .rejected = rejected_.load(std::memory_order_relaxed),
                          .dropped = dropped_.load(std::memory_order_relaxed),
                          .skipped = skipped_.load(std::memory_order_relaxed)};
    const std::lock_guard lock{mutex_};
    if (workers_ != nullptr) stats.pending += workers_->pending();
    stats.pending += source_->pending();
    stats.dropped += source_->dropped();
    return stats;
}

void SubscriberCore::process(Message message) noexcept {
    if (source_->wants_back())
        return source_->settle(std::move(message), {.outcome = Outcome::nack(), .untouched = true});
    received_.fetch_add(1, std::memory_order_relaxed);
    if (batches_ && spec_.handler->take(*this, message)) return;
    Context context{*this, message};
    const HandlerScope scope{context, route_};
    conclude(context, run(context));
}

void SubscriberCore::reject(Message message, const Error& why) noexcept {
    received_.fetch_add(1, std::memory_order_relaxed);
    Context context{*this, message};
    const HandlerScope scope{context, route_};
    conclude(context, ContextAccess::reject(context, why));
}

Outcome SubscriberCore::run(Context& context) noexcept {
    if (observer_ != nullptr) observer_->on_delivery(*this, context);
    return run_chain(context);
}

Outcome SubscriberCore::run_chain(Context& context) noexcept {
    if (chain_.empty()) return handle(context);
    const auto outcome = chain_.run(context);
    ContextAccess::adopt(context, outcome);
    return outcome;
}

Outcome SubscriberCore::handle(Context& context) noexcept {
    try {
        if (observer_ != nullptr) observer_->on_handler(*this);
        auto outcome = spec_.handler->invoke(context);
        if (ContextAccess::failure(context) && chain_.handles_errors()) {
            const auto failure = *ContextAccess::failure(context);
            if (auto other = consult(context, &failure, failure)) outcome = *std::move(other);
        }
        return outcome;
    } catch (...) { return caught(context); }
}

Outcome SubscriberCore::caught(Context& context) noexcept {
    if (auto outcome = outcome_thrown(context)) return *outcome;
    if (observer_ != nullptr) observer_->on_thrown(context, std::current_exception());
    const auto error = exception_error();
    auto outcome = ContextAccess::fail(context, error);
    return consult(context, nullptr, error).value_or(outcome);
}

/// What an on_error function makes of a failure that is in the context. One that says nack without a delay leaves it to
/// the retries, so that the message does not come back at once, for ever.
std::optional<Outcome> SubscriberCore::consult(Context& context, const Error* returned, const Error& failure) noexcept {
    ContextAccess::clear_failure(context);
    auto outcome = chain_.handle(context, returned);
    if (outcome && ContextAccess::decided(context)) outcome = ContextAccess::decided(context);
    const auto* failed_again = ContextAccess::failure(context) ? &*ContextAccess::failure(context) : nullptr;
    if (outcome && *outcome == Outcome::ack) return outcome;
    const bool left_to_retries = !outcome || (outcome->kind() == Outcome::Kind::nack && outcome->delay().count() == 0);
    if (failed_again == nullptr) std::ignore = ContextAccess::fail(context, failure);
    if (left_to_retries) {
        if (outcome) ContextAccess::undecide(context);
        return std::nullopt;
    }
    return ContextAccess::decide(context, *outcome);
}

std::optional<Outcome> SubscriberCore::outcome_thrown(Context& context) noexcept {
    try {
        throw;
    } catch (const Ack&) { return ContextAccess::decide(context, Outcome::ack); } catch (const Nack& nack) {
        return ContextAccess::decide(context, Outcome::nack(nack.delay));
    } catch (const Reject& reject) {
        return ContextAccess::decide(context, Outcome::term(reject.why));
    } catch (const Skip&) {
        skipped_.fetch_add(1, std::memory_order_relaxed);
        return ContextAccess::decide(context, Outcome::ack);
    } catch (const ExitApp& asked) {
        host_->exit(asked.code());
        return std::nullopt;  // it has failed all the same
    } catch (...) { return std::nullopt; }
}

void SubscriberCore::conclude(Context& context, const Outcome& returned) noexcept {
    const auto& failure = ContextAccess::failure(context);
    const auto& decided = ContextAccess::decided(context);
    const Handled handled{.outcome = decided ? *decided : returned,
                          .failure = failure ? &*failure : nullptr,
                          .rejected = failure && returned.kind() == Outcome::Kind::term,
                          .decided = decided.has_value()};
    if (handled.failure != nullptr) report_failure(context, *handled.failure, handled.rejected);
    else if (handled.outcome != Outcome::ack)
        report_failure(context, Error{Errc::remote, verdict(handled.outcome)}, false);
    if (observer_ != nullptr) observer_->on_settled(*this, context, handled);
    source_->settle(ContextAccess::take_message(context), handled);
}

void SubscriberCore::report_failure(Context& context, const Error& failure, bool rejected) noexcept {
    (rejected ? rejected_ : failed_).fetch_add(1, std::memory_order_relaxed);
    const auto code = rejected && failure.remote_code() == 0 ? code_rejected : code_of(failure);
    if (answer_wanted(context)) answer_error(context.message(), failure, code);
    context.logger().error("{}: {}", rejected ? "message rejected" : "handler failed", failure.what());
}

void SubscriberCore::answer_error(const Message& request, const Error& error, int code) noexcept {
    try {
        Headers headers;
        headers.set("Nats-Service-Error", header_text(error.message()));
        headers.set("Nats-Service-Error-Code", std::to_string(code));
        const auto sent = link_->send({.subject = request.reply_to(), .headers = &headers, .flush = Flush::now}, {},
                                      Outgoing::Kind::reply);
        if (!sent) link_->logger().error("cannot answer with an error: {}", sent.error().what());
    } catch (const std::exception& failed) { link_->logger().error("cannot answer with an error: {}", failed.what()); }
}

bool SubscriberCore::result_wanted(const Context& context) const noexcept {
    return answer_wanted(context) || (!targets_.empty() && !ContextAccess::answers_only(context));
}

Expected<void> SubscriberCore::emit(Context& context, const Encoded& encoded, const Headers* headers) {
    const auto& request = context.message();
    if (answer_wanted(context)) {
        auto sent = link_->send({.subject = request.reply_to(),
                                 .payload = encoded.body,
                                 .headers = headers,
                                 .flush = idle() ? Flush::now : Flush::batched},
                                encoded.content_type, Outgoing::Kind::reply);
        if (!sent) return sent;
        ContextAccess::mark_answered(context);
    }
    if (ContextAccess::answers_only(context)) return {};
    for (const auto& target : targets_) {
        if (auto sent = publish_target(target, request, encoded, headers); !sent) return sent;
    }
    return {};
}

/// Nothing waits behind the message being handled. Not known with workers.
bool SubscriberCore::idle() const { return workers_ == nullptr && source_->pending() == 0; }

Expected<void> SubscriberCore::publish_target(const Target& target, const Message& incoming, const Encoded& encoded,
                                              const Headers* headers) {
    constexpr std::size_t inline_values = 8;
    std::array<std::string_view, inline_values> few;
    std::vector<std::string_view> many;
    std::span<std::string_view> values{few.data(), std::min(target.tokens.size(), inline_values)};
    if (target.tokens.size() > inline_values) {
        many.resize(target.tokens.size());
        values = many;
    }
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = token_at(incoming.subject(), target.tokens[i]);
    const BufferLease subject;
    if (auto formatted = target.subject.format(subject->string(), values); !formatted) return formatted;
    return link_->send({.subject = subject->text(), .payload = encoded.body, .headers = headers}, encoded.content_type);
}

}  // namespace freshet::detail
