// SPDX-License-Identifier: Apache-2.0
// Consumer::fetch and Consumer::next, for programs that are not services.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <freshet/js/consumer.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/fetch_guard.hpp"
#include "jetstream/consume/pull_policy.hpp"

namespace freshet::detail {
namespace {

// How long the client waits beyond the time at which the server ends the request.
constexpr std::chrono::milliseconds patience{1'000};
// If nothing comes for this long after a request for what is there now, freshet looks up the consumer.
constexpr std::chrono::milliseconds quiet{250};

/// The messages of one pull request.
class FetchSink final : public MessageSink {
public:
    explicit FetchSink(std::string inbox) : inbox_{std::move(inbox)} {}

    void on_message(Message message) noexcept override {
        const std::lock_guard lock{mutex_};
        if (message.subject() != inbox_) messages_.push_back(std::move(message));
        else if (message.status() != 100) end_ = std::move(message);
        changed_.notify_all();
    }
    void on_end() noexcept override {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        changed_.notify_all();
    }

    /// Blocks until there are `count` messages, the server has ended the request, or `deadline` has come.
    void wait(Clock& clock, std::size_t count, TimePoint deadline) {
        std::unique_lock lock{mutex_};
        wait_until(clock, lock, changed_, deadline, [&] { return messages_.size() >= count || end_ || ended_; });
    }

    std::vector<Message> take() {
        const std::lock_guard lock{mutex_};
        return std::exchange(messages_, {});
    }
    /// Returns the status that ended the request; empty if none came.
    Message take_end() {
        const std::lock_guard lock{mutex_};
        return std::move(end_);
    }
    /// Returns whether anything came.
    bool heard() const {
        const std::lock_guard lock{mutex_};
        return !messages_.empty() || end_ || ended_;
    }

private:
    const std::string inbox_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::vector<Message> messages_ = {};
    Message end_ = {};
    bool ended_ = false;
};

js::Priority priority_of(const js::FetchOptions& options) {
    auto priority = options.priority;
    if (priority.group.empty()) priority.group = options.group;
    return priority;
}

/// Returns the error that explains why there are no messages; no error if there simply were none.
Expected<void> reason_of(const Message& end, std::string_view what) {
    if (!end) {
        return failure(Errc::timeout,
                       fmt::format("{}: no answer; perhaps the connection is lost, or a cluster is electing a leader",
                                   what));
    }
    const auto text = end.header("Description").value_or("");
    switch (end.status()) {
        case 404:
        case 408:
        case 423: return {};
        case 503:
            return failure(Errc::consumer_not_found,
                           fmt::format("{}: there is no such consumer; create it, or check its name", what));
        case 409:
            if (text.starts_with("Batch Completed") || text.starts_with("Leadership Change") ||
                text.starts_with("Server Shutdown")) {
                return {};
            }
            break;
        default: break;
    }
    return failure(Errc::remote, fmt::format("{}: the server says {} {}", what, end.status(), text));
}

/// Why the server has not answered a request.
enum class Silence : std::uint8_t {
    unknown,  ///< the server does not tell
    /// The consumer has nothing for this client now: too many messages are unacknowledged, it is paused, it is empty,
    /// or other clients are served.
    nothing,
};

Silence reason_for_silence(const JsApi& api, const ConsumerSpec& spec) {
    const auto answer = api.call(consumer_operation("INFO", spec.stream, spec.name), "look up " + spec.text());
    if (!answer) return Silence::unknown;
    const auto config = field<Json>(*answer, "config", Json::object());
    const auto most = field<std::int64_t>(config, "max_ack_pending");
    const bool full = most > 0 && field<std::int64_t>(*answer, "num_ack_pending") >= most;
    const bool others = config.contains("priority_groups");
    const bool empty = field<std::uint64_t>(*answer, "num_pending") == 0;
    return full || others || empty || field<bool>(*answer, "paused") ? Silence::nothing : Silence::unknown;
}

/// One pull request and its result.
class Fetch {
public:
    Fetch(const JsApi& api, const ConsumerSpec& spec, const js::FetchOptions& options)
        : api_{api}, spec_{spec}, options_{options} {}

    Expected<std::vector<Message>> run() {
        const auto& group = priority_.group;
        auto pin = pins_.of(consumer_, group);
        auto messages = ask(pin);
        // Another client has the pin now, or nobody has. So this one asks without a pin.
        if (messages && messages->empty() && end_ && end_.status() == 423 && !pin.empty()) {
            pins_.set(consumer_, group, {});
            tell(js::PinEvent::lost);
            messages = ask({});
            pin.clear();
        }
        if (messages && !messages->empty() && !group.empty()) {
            if (const auto given = messages->front().header("Nats-Pin-Id")) {
                pins_.set(consumer_, group, std::string{*given});
                if (pin.empty()) tell(js::PinEvent::gained);
            }
        }
        return messages;
    }

private:
    void tell(js::PinEvent event) const {
        if (priority_.on_pin) priority_.on_pin(event);
    }

    Expected<std::vector<Message>> ask(const std::string& pin) {
        auto& link = api_.link();
        const auto inbox = link.options().inbox_prefix + '.' + random_id();
        const auto sink = std::make_shared<FetchSink>(inbox);
        // Subscribes on the connection that sends requests, so that the server can say that nobody listens. The sink
        // only stores messages.
        auto subscription = link.transport().subscribe(
            {.subject = inbox, .max_pending_messages = 0, .max_pending_bytes = 0, .lane = freshet::Lane::replies},
            sink);
        if (!subscription) return std::unexpected{subscription.error()};
        const auto body = NextRequest{.batch = options_.messages,
                                      .expires = std::max(options_.within, std::chrono::milliseconds{0}),
                                      .max_bytes = options_.bytes,
                                      .pin = pin}
                              .as(priority_)
                              .body();
        const auto subject = api_.subject(consumer_operation("MSG.NEXT", spec_.stream, spec_.name));
        const auto sent = link.transport().publish(
            {.subject = subject, .reply_to = inbox, .payload = as_bytes(body), .flush = Flush::now});
        if (!sent) return std::unexpected{sent.error()};
        auto silence = Silence::unknown;
        if (options_.within.count() > 0)
            sink->wait(link.clock(), options_.messages, deadline(options_.within + patience));
        else silence = wait_for_what_is_there(*sink);
        auto messages = sink->take();
        end_ = sink->take_end();
        if (!messages.empty() || (silence == Silence::nothing && !end_)) return messages;
        if (auto reason = reason_of(end_, "fetch from " + spec_.text()); !reason)
            return std::unexpected{reason.error()};
        return messages;
    }

    /// Waits for the messages that are there now. A server does not answer when the consumer may deliver nothing now.
    Silence wait_for_what_is_there(FetchSink& sink) {
        auto& clock = api_.link().clock();
        sink.wait(clock, options_.messages, deadline(quiet));
        if (sink.heard()) return Silence::nothing;
        const auto reason = reason_for_silence(api_, spec_);
        if (reason == Silence::unknown) sink.wait(clock, options_.messages, deadline(api_.options().timeout));
        return reason;
    }

    TimePoint deadline(std::chrono::milliseconds within) const { return api_.link().clock().now() + within; }

    const JsApi& api_;
    const ConsumerSpec& spec_;
    const js::FetchOptions& options_;
    const js::Priority priority_ = priority_of(options_);
    const std::string consumer_ = spec_.stream + '.' + spec_.name;
    Pins& pins_ = api_.pins();
    Message end_ = {};  // the status that ended the request; empty if none came
};

}  // namespace

}  // namespace freshet::detail

namespace freshet::js {

Expected<std::vector<Delivery>> Consumer::try_fetch(const FetchOptions& options) const {
    const detail::ConsumerSpec spec{.stream = stream_, .name = name_};
    if (auto valid = detail::check_js_name("stream", stream_); !valid) return std::unexpected{valid.error()};
    if (auto valid = detail::check_js_name("consumer", name_); !valid) return std::unexpected{valid.error()};
    if (options.messages == 0) {
        return failure(Errc::bad_setup, "fetch from " + spec.text() +
                                            ": FetchOptions::messages is 0, so nothing would be delivered; set it to 1 "
                                            "or more");
    }
    if (!detail::may_wait()) return std::unexpected{detail::wait_refused("fetch from " + spec.text())};
    auto messages = detail::Fetch{*api_, spec, options}.run();
    if (!messages) return std::unexpected{messages.error()};
    std::vector<Delivery> deliveries;
    if (messages->empty()) return deliveries;
    deliveries.reserve(messages->size());
    const auto guard = detail::FetchGuard::of(api_, spec);
    const auto incarnation = guard->note(*messages);
    for (auto& message : *messages)
        deliveries.emplace_back(api_, std::move(message), guard->acknowledger(), incarnation);
    return deliveries;
}

Expected<std::optional<Delivery>> Consumer::try_next(std::chrono::milliseconds within) const {
    auto deliveries = try_fetch({.messages = 1, .within = within});
    if (!deliveries) return std::unexpected{deliveries.error()};
    if (deliveries->empty()) return std::optional<Delivery>{};
    return std::optional<Delivery>{std::move(deliveries->front())};
}

}  // namespace freshet::js
