// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "jetstream/consume/feed.hpp"
#include "jetstream/stream/streams.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

// The server removes an ephemeral consumer after so long without us: longer than it takes to restart one.
constexpr std::chrono::milliseconds ephemeral_threshold{std::chrono::minutes{5}};

}  // namespace

Json consumer_for(const js::ConsumerConfig& config, const Subject& subject, bool ephemeral) {
    auto complete = config;
    if (complete.filter_subjects.empty() && subject.wire() != ">")
        complete.filter_subjects = {std::string{subject.wire()}};
    if (ephemeral && complete.inactive_threshold.count() == 0) complete.inactive_threshold = ephemeral_threshold;
    return complete_consumer(complete);
}

/// The running half of a ConsumerSource, created by start(): declares, feeds, settles.
class ConsumerSource::Running final : public SessionOwner {
public:
    Running(Link& link, const ConsumerSourceSettings& settings, const Subject& subject)
        : api_{std::make_shared<const JsApi>(link, settings.context)},
          stream_{settings.stream},
          spec_{settings.spec(subject, link.options().inbox_prefix)},
          subject_{subject},
          dead_letter_{settings.settlement.retry().dead_letter},
          push_{settings.push} {}

    static std::shared_ptr<Running> make(Link& link, const ConsumerSourceSettings& settings, const Subject& subject,
                                         std::shared_ptr<MessageSink> sink) {
        auto owner = std::make_shared<Running>(link, settings, subject);
        owner->session_ =
            std::make_shared<ConsumerSession>(owner->api_, owner->spec_.text(), settings.policy(*owner->api_), owner);
        owner->feed_ = std::make_shared<Feed>(link, settings.settlement, owner->spec_.text(), std::move(sink),
                                              [weak = std::weak_ptr{owner->session_}](const Settled& settled) {
                                                  if (const auto session = weak.lock()) session->handled(settled);
                                              });
        return owner;
    }

    Feed& feed() const noexcept { return *feed_; }
    ConsumerSession& session() const noexcept { return *session_; }

    Expected<DeliveryTarget> declare() override {
        const auto stream = declare_stream_of(*api_, stream_);
        if (!stream) return std::unexpected{stream.error()};
        const auto answer = declare_consumer(*api_, spec_);
        if (!answer) return std::unexpected{answer.error()};
        const auto& config = (*answer)["config"];
        DeliveryTarget target{.consumer = spec_.stream + '.' + spec_.name,
                              .deliver_subject = field<std::string>(config, "deliver_subject"),
                              .deliver_group = field<std::string>(config, "deliver_group"),
                              .heartbeat = std::chrono::nanoseconds{field<std::int64_t>(config, "idle_heartbeat")}};
        if (auto fits = check(target, *answer); !fits) return std::unexpected{fits.error()};
        if (auto fits = check_filters(config, *stream); !fits) return std::unexpected{fits.error()};
        feed_->set_ack_wait(ack_wait_of(config));
        started_ = true;
        return target;
    }

    void on_message(Message message, const Metadata& metadata) noexcept override {
        feed_->feed(std::move(message), metadata);
    }

    void on_end() noexcept override { feed_->end(); }

private:
    Expected<void> check(const DeliveryTarget& target, const Json& answer) const {
        const bool pushes = !target.deliver_subject.empty();
        if (pushes && !push_)
            return failure(Errc::bad_setup, spec_.text() + " is a push consumer: use js::Push, or delete it");
        if (!pushes && push_)
            return failure(Errc::bad_setup, spec_.text() + " is a pull consumer: use js::Pull, or delete it");
        if (pushes && !started_ && target.deliver_group.empty() && field<bool>(answer, "push_bound")) {
            return failure(Errc::consumer_exists,
                           spec_.text() + " has a subscriber already: declare it with a `queue` to share it");
        }
        return {};
    }

    /// That what the consumer delivers is what the subscriber's handler is made for, and that there is such a thing.
    Expected<void> check_filters(const Json& config, std::optional<js::StreamInfo> stream) const {
        auto filters = field<std::vector<std::string>>(config, "filter_subjects");
        if (const auto one = field<std::string>(config, "filter_subject"); !one.empty()) filters.push_back(one);
        const bool may_loop = !dead_letter_.empty() && subject_.matches(dead_letter_);
        if (!stream && (filters.empty() || may_loop)) stream = look_up_stream();
        const auto stored = stream ? stream->config.subjects : std::vector<std::string>{};
        if (filters.empty()) filters = stored;
        for (const auto& filter : filters) {
            if (covers(subject_.wire(), filter)) continue;
            return failure(Errc::settings_differ,
                           fmt::format("{} delivers {}, which the subscriber's subject {} does not match: use another "
                                       "durable, or Declare::reconcile",
                                       spec_.text(), detail::quoted(filter), detail::quoted(subject_.pattern())));
        }
        if (!stream || stored.empty()) return {};
        const auto is_stored = [&](std::string_view filter) {
            return std::ranges::any_of(stored, [&](const auto& subject) { return overlap(filter, subject); });
        };
        // What it copies from elsewhere, or renames, can have other subjects.
        const bool as_published = !stream->config.transform && stream->config.sources.empty();
        for (const auto& filter : filters) {
            if (!as_published || is_stored(filter)) continue;
            return failure(Errc::bad_setup,
                           fmt::format("{} would never deliver anything: the stream stores {}, and no {}", spec_.text(),
                                       fmt::join(stored, ", "), detail::quoted(filter)));
        }
        if (!may_loop || !is_stored(dead_letter_)) return {};
        return failure(Errc::bad_setup,
                       fmt::format("{}: retry.dead_letter {} is a subject that it delivers itself, so that a "
                                   "dead letter would be given up again, for ever: choose another one",
                                   spec_.text(), detail::quoted(dead_letter_)));
    }

    std::optional<js::StreamInfo> look_up_stream() const {
        const auto what = "look up stream " + detail::quoted(spec_.stream);
        const auto answer = api_->call("STREAM.INFO." + spec_.stream, what);
        if (!answer) return std::nullopt;  // it may be forbidden
        auto info = to_stream_info(what, *answer);
        return info ? std::optional{*std::move(info)} : std::nullopt;
    }

    const std::shared_ptr<const JsApi> api_;
    const js::StreamRef stream_;
    const ConsumerSpec spec_;
    const Subject subject_;
    const std::string dead_letter_;
    const bool push_;
    bool started_ = false;  // of declare, which runs one at a time
    std::shared_ptr<Feed> feed_ = {};
    std::shared_ptr<ConsumerSession> session_ = {};  // which refers to this until its end
};

ConsumerSource::ConsumerSource(ConsumerSourceSettings settings) : settings_{std::move(settings)} {}
ConsumerSource::~ConsumerSource() = default;

Expected<void> ConsumerSource::start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    try {
        const auto owner = Running::make(link, settings_, subject, std::move(sink));
        {
            const std::lock_guard lock{mutex_};
            running_ = owner;
        }
        const auto asked = guard_.begun();
        if (asked.quiesce) owner->session().quiesce();
        Expected<void> started = failure(Errc::closed, "the subscriber was stopped before it ran");
        if (!asked.stop) started = owner->session().start();
        if (!started) {
            const std::lock_guard lock{mutex_};
            running_ = nullptr;  // and with it the sink
        }
        return started;
    } catch (const Error& error) { return std::unexpected{error}; }
}

std::shared_ptr<ConsumerSource::Running> ConsumerSource::running() const {
    const std::lock_guard lock{mutex_};
    return running_;
}

void ConsumerSource::quiesce() noexcept {
    if (!guard_.quiesce()) return;
    if (const auto running = this->running()) running->session().quiesce();
}

void ConsumerSource::stop(std::chrono::milliseconds timeout) noexcept {
    if (!guard_.stop(timeout)) return;
    if (const auto running = this->running()) running->session().stop(timeout);
}

bool ConsumerSource::wants_back() const noexcept {
    const auto running = this->running();
    return running != nullptr && running->session().stopping();
}

void ConsumerSource::settle(Message message, const Handled& handled) noexcept {
    if (const auto running = this->running()) running->feed().settle(std::move(message), handled);
}

void ConsumerSource::in_progress(const Message& message) noexcept {
    if (const auto running = this->running()) running->feed().in_progress(message);
}

Expected<void> ConsumerSource::ack_sync(const Message& message, std::chrono::milliseconds timeout) {
    return running()->feed().ack_sync(message, timeout);
}

std::size_t ConsumerSource::pending() const noexcept {
    const auto running = this->running();
    return running == nullptr ? 0 : running->session().pending();
}

}  // namespace freshet::detail
