// SPDX-License-Identifier: Apache-2.0
// What a Consumer takes for programs that are not services.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <freshet/js/consumer.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/pull_policy.hpp"

namespace freshet::detail {
namespace {

// How much later than the server the client gives up.
constexpr std::chrono::milliseconds patience{1'000};

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

    /// Blocks until there are `count` messages, the server has ended the request, or `deadline`.
    void wait(Clock& clock, std::size_t count, TimePoint deadline) {
        std::unique_lock lock{mutex_};
        wait_until(clock, lock, changed_, deadline, [&] { return messages_.size() >= count || end_ || ended_; });
    }

    std::vector<Message> take() {
        const std::lock_guard lock{mutex_};
        return std::exchange(messages_, {});
    }
    /// What the server said instead of more messages; empty if it did not.
    const Message& end() const noexcept { return end_; }

private:
    const std::string inbox_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::vector<Message> messages_ = {};
    Message end_ = {};
    bool ended_ = false;
};

std::string fetch_body(const js::FetchOptions& options) {
    auto body = fmt::format(R"({{"batch":{})", options.messages);
    if (options.within.count() > 0)
        body += fmt::format(R"(,"expires":{})", std::chrono::nanoseconds{options.within}.count());
    else body += R"(,"no_wait":true)";
    if (options.bytes > 0) body += fmt::format(R"(,"max_bytes":{})", options.bytes);
    if (!options.group.empty()) body += fmt::format(R"(,"group":"{}")", options.group);
    return body + '}';
}

/// Why there are no messages; nothing if there simply were none.
Expected<void> reason_of(const Message& end, std::string_view what) {
    if (!end) {
        return failure(Errc::timeout,
                       fmt::format("{}: no answer: the connection may be lost, or a cluster is electing a leader",
                                   what));
    }
    const auto text = end.header("Description").value_or("");
    switch (end.status()) {
        case 404:
        case 408: return {};
        case 503:
            return failure(Errc::consumer_not_found,
                           fmt::format("{}: there is no such consumer: create it, or check its name", what));
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

Expected<std::vector<Message>> fetch(const JsApi& api, const ConsumerSpec& spec, const js::FetchOptions& options) {
    auto& link = api.link();
    const auto inbox = link.options().inbox_prefix + '.' + random_id();
    const auto sink = std::make_shared<FetchSink>(inbox);
    // Where requests are sent, so that the server can say that nobody listens. The sink only puts messages aside.
    auto subscription = link.transport().subscribe(
        {.subject = inbox, .max_pending_messages = 0, .max_pending_bytes = 0, .lane = freshet::Lane::replies}, sink);
    if (!subscription) return std::unexpected{subscription.error()};
    const auto body = fetch_body(options);
    const auto subject = api.subject(fmt::format("CONSUMER.MSG.NEXT.{}.{}", spec.stream, spec.name));
    const auto sent = link.transport().publish(
        {.subject = subject, .reply_to = inbox, .payload = as_bytes(body), .flush = Flush::now});
    if (!sent) return std::unexpected{sent.error()};
    const auto wait = options.within.count() > 0 ? options.within + patience : api.options().timeout;
    sink->wait(link.clock(), options.messages, link.clock().now() + wait);
    auto messages = sink->take();
    if (!messages.empty()) return messages;
    if (auto reason = reason_of(sink->end(), "fetch from " + spec.text()); !reason)
        return std::unexpected{reason.error()};
    return messages;
}

}  // namespace

/// The messages that wait for the one who asks for the next.
class PulledMessages {
public:
    static Expected<std::unique_ptr<PulledMessages>> begin(const std::shared_ptr<const JsApi>& api, ConsumerSpec spec,
                                                           const js::MessagesOptions& options) {
        auto state = std::make_shared<State>(api, std::move(spec));
        const PullLimits limits{
            .min_window = options.prefetch, .max_window = options.prefetch, .heartbeat = options.heartbeat};
        auto session =
            std::make_shared<ConsumerSession>(api, state->text(), PullPolicy::make(*api, {.limits = limits}), state);
        if (auto started = session->start(); !started) return std::unexpected{std::move(started).error()};
        return std::unique_ptr<PulledMessages>{new PulledMessages{std::move(state), std::move(session)}};
    }
    PulledMessages(const PulledMessages&) = delete;
    PulledMessages& operator=(const PulledMessages&) = delete;
    ~PulledMessages() { stop(); }

    std::optional<js::Delivery> next(std::chrono::milliseconds timeout) {
        return next(state_->api()->link().clock().now() + timeout);
    }
    std::optional<js::Delivery> next(TimePoint deadline) {
        auto taken = state_->next(deadline);
        if (!taken) return std::nullopt;
        session_->handled({.count = 1, .bytes = taken->message.payload().size(), .since = taken->since});
        return js::Delivery{state_->api(), std::move(taken->message)};
    }

    void stop() {
        state_->close();
        session_->stop(patience);  // what is on its way is given back
    }

private:
    struct Waiting {
        Message message;
        TimePoint since;
    };

    class State final : public SessionOwner {
    public:
        State(std::shared_ptr<const JsApi> api, ConsumerSpec spec) : api_{std::move(api)}, spec_{std::move(spec)} {}

        const std::shared_ptr<const JsApi>& api() const noexcept { return api_; }
        std::string text() const { return spec_.text(); }

        Expected<DeliveryTarget> declare() override {
            if (const auto found = declare_consumer(*api_, spec_); !found) return std::unexpected{found.error()};
            return DeliveryTarget{.consumer = spec_.stream + '.' + spec_.name};
        }

        void on_message(Message message, const Metadata&) noexcept override {
            std::unique_lock lock{mutex_};
            if (closed_) {
                lock.unlock();
                return give_back(message);
            }
            messages_.push_back({std::move(message), api_->link().clock().now()});
            changed_.notify_all();
        }

        void on_end() noexcept override { close(); }

        std::optional<Waiting> next(TimePoint deadline) {
            std::unique_lock lock{mutex_};
            wait_until(api_->link().clock(), lock, changed_, deadline,
                       [this] { return closed_ || !messages_.empty(); });
            if (messages_.empty()) return std::nullopt;
            auto taken = std::move(messages_.front());
            messages_.pop_front();
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
            for (const auto& waiting : left) give_back(waiting.message);
        }

    private:
        void give_back(const Message& message) noexcept {
            constexpr std::string_view nak = "-NAK";
            std::ignore = api_->link().transport().publish({.subject = message.reply_to(), .payload = as_bytes(nak)});
        }

        const std::shared_ptr<const JsApi> api_;
        const ConsumerSpec spec_;
        std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        std::deque<Waiting> messages_ = {};
        bool closed_ = false;
    };

    PulledMessages(std::shared_ptr<State> state, std::shared_ptr<ConsumerSession> session)
        : state_{std::move(state)}, session_{std::move(session)} {}

    const std::shared_ptr<State> state_;
    const std::shared_ptr<ConsumerSession> session_;
};

}  // namespace freshet::detail

namespace freshet::js {

Expected<std::vector<Delivery>> Consumer::try_fetch(const FetchOptions& options) const {
    const detail::ConsumerSpec spec{.stream = stream_, .name = name_};
    if (auto valid = detail::check_js_name("stream", stream_); !valid) return std::unexpected{valid.error()};
    if (auto valid = detail::check_js_name("consumer", name_); !valid) return std::unexpected{valid.error()};
    if (!detail::may_wait()) return std::unexpected{detail::wait_refused("fetch from " + spec.text())};
    auto messages = detail::fetch(*api_, spec, options);
    if (!messages) return std::unexpected{messages.error()};
    std::vector<Delivery> deliveries;
    deliveries.reserve(messages->size());
    for (auto& message : *messages) deliveries.emplace_back(api_, std::move(message));
    return deliveries;
}

Expected<std::optional<Delivery>> Consumer::try_next(std::chrono::milliseconds within) const {
    auto deliveries = try_fetch({.messages = 1, .within = within});
    if (!deliveries) return std::unexpected{deliveries.error()};
    if (deliveries->empty()) return std::optional<Delivery>{};
    return std::optional<Delivery>{std::move(deliveries->front())};
}

Expected<Deliveries> Consumer::try_messages(const MessagesOptions& options) const {
    if (auto valid = detail::check_js_name("stream", stream_); !valid) return std::unexpected{valid.error()};
    if (auto valid = detail::check_js_name("consumer", name_); !valid) return std::unexpected{valid.error()};
    auto begun =
        detail::PulledMessages::begin(api_, {.stream = stream_, .name = name_, .declare = Declare::never}, options);
    if (!begun) return std::unexpected{std::move(begun).error()};
    return Deliveries{*std::move(begun)};
}

Deliveries::Deliveries(std::unique_ptr<detail::PulledMessages> messages) noexcept : messages_{std::move(messages)} {}
Deliveries::Deliveries(Deliveries&&) noexcept = default;
Deliveries::~Deliveries() = default;

std::optional<Delivery> Deliveries::next(std::chrono::milliseconds timeout) { return messages_->next(timeout); }

void Deliveries::stop() { messages_->stop(); }

Deliveries::Iterator& Deliveries::Iterator::operator++() {
    current_ = deliveries_->messages_->next(TimePoint::max());
    return *this;
}

}  // namespace freshet::js
