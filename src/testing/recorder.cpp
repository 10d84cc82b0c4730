// SPDX-License-Identifier: Apache-2.0
#include "testing/recorder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quoted.hpp"
#include "base/type_text.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {
namespace {

testing::CapturedMessage copy_of(const Message& message) {
    return {.subject = std::string{message.subject()},
            .reply_to = std::string{message.reply_to()},
            .body = std::string{message.text()},
            .headers = message.headers()};
}

class RecordingTransport final : public Transport {
public:
    RecordingTransport(std::unique_ptr<Transport> inner, std::shared_ptr<Recorder> recorder)
        : inner_{std::move(inner)}, recorder_{std::move(recorder)} {}

    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override {
        return inner_->open(wait, std::move(events));
    }
    void on_loss(std::function<void()> lost) override { inner_->on_loss(std::move(lost)); }
    Expected<void> publish(const Publication& publication) override {
        if (auto failure = recorder_->failure_of(publication)) return std::unexpected{*std::move(failure)};
        if (recorder_->published_to) recorder_->published_to(publication.subject);
        auto sent = inner_->publish(publication);
        if (sent) recorder_->on_published(publication);
        return sent;
    }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        return inner_->subscribe(spec, std::move(sink));
    }
    Expected<void> flush(std::chrono::milliseconds timeout) override { return inner_->flush(timeout); }
    bool drain_deliveries(std::chrono::milliseconds timeout) override { return inner_->drain_deliveries(timeout); }
    void close(std::chrono::milliseconds timeout) override { inner_->close(timeout); }
    ServerInfo server() const override { return inner_->server(); }
    TransportStats stats() const override { return inner_->stats(); }

private:
    std::unique_ptr<Transport> inner_;
    std::shared_ptr<Recorder> recorder_;
};

}  // namespace

void Recorder::on_inject(std::string_view pattern, const std::type_info& type) {
    const std::lock_guard lock{mutex_};
    injected_[std::string{pattern}].insert(type);
}

void Recorder::on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept {
    const std::lock_guard lock{mutex_};
    running_[&context] = forgotten_ + deliveries_.size();
    deliveries_.push_back({.subscriber = subscriber.spec().subject, .message = copy_of(context.message())});
}

void Recorder::on_handler(const SubscriberCore& subscriber) { throw_if_told(subscriber.spec().subject); }

void Recorder::throw_if_told(std::string_view subscriber) {
    std::exception_ptr exception;
    {
        const std::lock_guard lock{mutex_};
        const auto types = injected_.find(subscriber);
        if (types == injected_.end()) return;
        for (const auto& type : types->second) {
            const auto failing = failing_.find(type);
            if (failing == failing_.end()) continue;
            exception = failing->second;
            failing_.erase(failing);
            break;
        }
    }
    if (exception) std::rethrow_exception(exception);
}

testing::Delivery* Recorder::find(const Context& context) noexcept {
    const auto running = running_.find(&context);
    if (running == running_.end() || running->second < forgotten_) return nullptr;
    return &deliveries_[running->second - forgotten_];
}

void Recorder::on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept {
    const std::lock_guard lock{mutex_};
    if (auto* const delivery = find(context)) delivery->thrown = thrown;
}

void Recorder::on_postponed(const Context& context, const Context& later) noexcept {
    const std::lock_guard lock{mutex_};
    auto running = running_.extract(&context);
    if (running.empty()) return;
    running.key() = &later;
    running_.insert(std::move(running));
}

void Recorder::on_settled(const SubscriberCore& subscriber, const Context& context, const Handled& handled) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (auto* const delivery = find(context)) {
            delivery->settled = true;
            delivery->outcome = handled.outcome;
            delivery->rejected = handled.rejected;
            if (handled.failure != nullptr) delivery->failure = *handled.failure;
        }
        running_.erase(&context);
    }
    if (settled_by) settled_by(subscriber);
}

void Recorder::on_batched(const SubscriberCore& subscriber, const Message& message, const Handled& handled) noexcept {
    {
        testing::Delivery delivery{.subscriber = subscriber.spec().subject,
                                   .message = copy_of(message),
                                   .settled = true,
                                   .outcome = handled.outcome,
                                   .rejected = handled.rejected};
        if (handled.failure != nullptr) delivery.failure = *handled.failure;
        const std::lock_guard lock{mutex_};
        deliveries_.push_back(std::move(delivery));
    }
    if (settled_by) settled_by(subscriber);
}

std::optional<Error> Recorder::failure_of(const Publication& publication) {
    const std::lock_guard lock{mutex_};
    const auto told = std::ranges::find_if(publish_faults_, [&](const auto& fault) {
        return fault.pattern.matches(publication.subject);
    });
    std::optional<Errc> code;
    if (told != publish_faults_.end()) {
        code = told->code;
        publish_faults_.erase(told);
    } else if (random_failure_ && random_failure_()) {
        code = Errc::disconnected;
    }
    if (!code) return std::nullopt;
    return Error{*code, "cannot publish to " + quoted(publication.subject) + ": made to fail by the test"};
}

void Recorder::on_published(const Publication& publication) {
    testing::CapturedMessage message{.subject = std::string{publication.subject},
                                     .reply_to = std::string{publication.reply_to},
                                     .body = std::string{as_text(publication.payload)}};
    if (publication.headers != nullptr) message.headers = *publication.headers;
    const std::lock_guard lock{mutex_};
    publications_.push_back(std::move(message));
}

std::vector<testing::Delivery> Recorder::deliveries(std::size_t first, std::string_view subscriber,
                                                    std::string_view subject) const {
    std::vector<testing::Delivery> found;
    const std::lock_guard lock{mutex_};
    for (auto i = std::max(first, forgotten_); i < forgotten_ + deliveries_.size(); ++i) {
        const auto& delivery = deliveries_[i - forgotten_];
        const bool wanted = (subscriber.empty() || delivery.subscriber == subscriber) &&
                            (subject.empty() || delivery.message.subject == subject);
        if (wanted) found.push_back(delivery);
    }
    return found;
}

std::vector<testing::CapturedMessage> Recorder::publications() const {
    const std::lock_guard lock{mutex_};
    return publications_;
}

std::size_t Recorder::delivery_count() const {
    const std::lock_guard lock{mutex_};
    return forgotten_ + deliveries_.size();
}

bool Recorder::all_settled() const {
    const std::lock_guard lock{mutex_};
    return running_.empty();
}

void Recorder::clear() {
    const std::lock_guard lock{mutex_};
    forgotten_ += deliveries_.size();
    deliveries_.clear();
    publications_.clear();
}

void Recorder::fail_next(std::type_index type, std::exception_ptr exception) {
    const std::lock_guard lock{mutex_};
    std::set<std::string> known;
    for (const auto& [subscriber, types] : injected_)
        for (const auto& one : types) known.insert(type_text(one.name()));
    const auto wanted = type_text(type.name());
    if (!known.contains(wanted))
        raise({Errc::bad_setup, fmt::format("fail_next: no handler takes Inject<{}>; of objects they take: {}", wanted,
                                            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))});
    failing_[type] = std::move(exception);
}

void Recorder::fail_next_publish(Subject pattern, Errc code) {
    const std::lock_guard lock{mutex_};
    publish_faults_.push_back({std::move(pattern), code});
}

std::vector<std::string> Recorder::notes() const {
    std::vector<std::string> notes;
    const std::lock_guard lock{mutex_};
    for (const auto& [type, exception] : failing_)
        notes.push_back(fmt::format("fail_next<{}> has not happened yet", type_text(type.name())));
    for (const auto& fault : publish_faults_)
        notes.push_back(fmt::format("fail_next_publish({}) has not happened yet", quoted(fault.pattern.pattern())));
    return notes;
}

void Recorder::fail_publications(std::function<bool()> whether) {
    const std::lock_guard lock{mutex_};
    random_failure_ = std::move(whether);
}

std::unique_ptr<Transport> record(std::unique_ptr<Transport> transport, std::shared_ptr<Recorder> recorder) {
    return std::make_unique<RecordingTransport>(std::move(transport), std::move(recorder));
}

}  // namespace freshet::detail
