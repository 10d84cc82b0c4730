// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <freshet/extract.hpp>
#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/dead_letter.hpp"
#include "jetstream/consume/feed.hpp"
#include "jetstream/consume/lag_watch.hpp"
#include "jetstream/consume/stream_description.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet::detail {
namespace {

// The server removes an ephemeral consumer that is not used for this long, which is longer than a restart of the server
// takes.
constexpr std::chrono::milliseconds ephemeral_threshold{std::chrono::minutes{5}};

std::optional<std::chrono::system_clock::time_point> created(const Json& answer) {
    return parse_rfc3339(field<std::string>(answer, "created"));
}

/// Returns the stream sequence up to which everything is settled, from an answer of CONSUMER.INFO.
std::uint64_t settled_up_to(const Json& answer) {
    const auto sequence = [&](const char* what) {
        return field<std::uint64_t>(field<Json>(answer, what, Json::object()), "stream_seq");
    };
    return field<std::uint64_t>(answer, "num_ack_pending") == 0 ? sequence("delivered") : sequence("ack_floor");
}

std::size_t size_in(const Json& config, const char* key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(field<std::int64_t>(config, key), 0));
}

DeliveryTarget target_of(const ConsumerSpec& spec, const Json& answer) {
    const auto& config = answer["config"];
    return {.consumer = spec.stream + '.' + spec.name,
            .identity = field<std::string>(answer, "created"),
            .deliver_subject = field<std::string>(config, "deliver_subject"),
            .deliver_group = field<std::string>(config, "deliver_group"),
            .heartbeat = std::chrono::nanoseconds{field<std::int64_t>(config, "idle_heartbeat")},
            .limits = request_limits_of(config)};
}

}  // namespace

RequestLimits request_limits_of(const Json& config) {
    return {.batch = size_in(config, "max_batch"),
            .bytes = size_in(config, "max_bytes"),
            .expires = std::chrono::nanoseconds{field<std::int64_t>(config, "max_expires")}};
}

Json consumer_for(const js::ConsumerConfig& config, const Subject& subject, Lifetime lifetime) {
    auto complete = config;
    if (complete.filter_subjects.empty() && subject.wire() != ">")
        complete.filter_subjects = {std::string{subject.wire()}};
    if (lifetime == Lifetime::ephemeral && complete.inactive_threshold.count() == 0)
        complete.inactive_threshold = ephemeral_threshold;
    return consumer_to_create(complete);
}

/// The running half of a ConsumerSource, created by start(): declares the consumer, feeds the subscriber, and settles
/// messages.
class ConsumerSource::Running final : public SessionOwner, public std::enable_shared_from_this<Running> {
public:
    Running(Link& link, const ConsumerSourceSettings& settings, Promises promises, const Subject& subject)
        : link_{link},
          api_{std::make_shared<const JsApi>(link, settings.context)},
          stream_{settings.stream},
          spec_{settings.spec(subject, link.options().inbox_prefix)},
          subject_{subject},
          promises_{std::move(promises)},
          max_extension_{settings.max_extension},
          push_{settings.push},
          quiet_{settings.quiet},
          ephemeral_{!spec_.wanted.contains("durable_name")} {}

    static std::shared_ptr<Running> make(Link& link, const ConsumerSourceSettings& settings, Promises promises,
                                         const Subject& subject, std::shared_ptr<MessageSink> sink) {
        auto owner = std::make_shared<Running>(link, settings, std::move(promises), subject);
        owner->session_ =
            std::make_shared<ConsumerSession>(owner->api_, owner->spec_.text(), settings.policy(*owner->api_));
        Feed::Calls calls{.settled =
                              [weak = std::weak_ptr{owner->session_}](const Settled& settled) {
                                  if (const auto session = weak.lock()) session->handled(settled);
                              },
                          .done = {}};
        if (owner->ephemeral_) calls.done = owner->forget();
        owner->sink_ = sink;
        owner->feed_ =
            std::make_shared<Feed>(link, settings.settlement, owner->spec_.text(), std::move(sink), std::move(calls));
        return owner;
    }

    Feed& feed() const noexcept { return *feed_; }
    ConsumerStats stats() const {
        ConsumerStats stats{.stream = spec_.stream, .consumer = spec_.name};
        feed_->count(stats);
        stats.lag = lag_.latest();
        return stats;
    }
    void ask_lag() noexcept { lag_.ask(api_, spec_.stream, spec_.name); }
    ConsumerSession& session() const noexcept { return *session_; }

    Expected<DeliveryTarget> declare() override {
        const auto stream = declare_stream_of(*api_, stream_);
        if (!stream) return std::unexpected{stream.error()};
        // A stream in memory is lost in a restart of the server.
        if (auto kept = declare_dead_letters(*api_, promises_.settlement.retry()); !kept)
            return std::unexpected{kept.error()};
        auto spec = spec_;
        spec.fresh = [&] { return fresh(); };
        const auto answer = declare_consumer(*api_, spec);
        if (!answer) return std::unexpected{with_hint(answer.error())};
        const auto& config = (*answer)["config"];
        auto target = target_of(spec_, *answer);
        if (auto fits = check(target, *answer, *stream); !fits) return std::unexpected{fits.error()};
        feed_->set_ack_wait(ack_wait_of(config), max_extension_);
        if (!started_) {
            if (!quiet_) warn_of_endless_retries(config);
            for (const auto& weak : weak_promises(promises_, config)) link_.logger().warn("{}: {}", spec_.text(), weak);
        }
        // Before the latest message of each subject there is only history, for which nobody asked.
        const bool latest = field<std::string>(config, "deliver_policy").starts_with("last");
        feed_->begin_behind(latest ? 0 : settled_up_to(*answer), field<std::uint64_t>(*answer, "num_ack_pending"));
        created_ = created(*answer);
        deliver_subject_ = target.deliver_subject;
        started_ = true;
        return target;
    }

    void on_message(Message message, const Metadata& metadata) noexcept override {
        feed_->feed(std::move(message), metadata);
    }
    void on_doubt() noexcept override { feed_->doubt(); }
    void on_found(Acknowledger::Anew anew) noexcept override { feed_->found(anew); }
    void on_lost(const Error& why) noexcept override {
        if (const auto sink = sink_.lock()) sink->on_lost(why);
    }
    void on_back() noexcept override {
        if (const auto sink = sink_.lock()) sink->on_back();
    }
    void on_end() noexcept override { feed_->end(); }

private:
    /// Says how freshet makes the stream itself, if it is missing.
    static Error with_hint(const Error& error) {
        if (error.code() != Errc::stream_not_found) return error;
        return {Errc::stream_not_found,
                std::string{error.message()} + ", or give a js::Stream, so that freshet declares it"};
    }

    /// Returns the settings of a new consumer beside the configuration. If the consumer was deleted while the program
    /// ran, the new one begins where that one was.
    Json fresh() const {
        auto fresh = spec_.fresh ? spec_.fresh() : Json::object();
        // Keeps the deliver subject, since other programs may listen there.
        if (!deliver_subject_.empty()) fresh["deliver_subject"] = deliver_subject_;
        const auto first = started_ ? feed_->first_unsettled() : 0;
        if (first == 0 || !still_there(first)) return fresh;
        link_.logger().warn(
            "{} was deleted; it is created again, and begins with message {}, the first that is not settled",
            spec_.text(), first);
        fresh["deliver_policy"] = "by_start_sequence";
        fresh["opt_start_seq"] = first;
        fresh["opt_start_time"] = nullptr;
        return fresh;
    }

    void warn_of_endless_retries(const Json& config) const {
        const auto& retry = promises_.settlement.retry();
        if (retry.max_attempts > 0 || !retry.dead_letter.empty()) return;
        if (field<std::string>(config, "ack_policy") == "none") return;
        link_.logger().warn("{}: a message whose handler fails comes again for ever, and one that does not decode is "
                            "dropped: set retry = {{.max_attempts = 5, .dead_letter = \"...\"}}, or ack_policy if "
                            "this is meant",
                            spec_.text());
    }

    /// Returns whether the stream is the one that delivered the earlier messages, and can be read from `first` on.
    bool still_there(std::uint64_t first) const {
        const auto stream = look_up_stream();
        if (!stream || !created_) return false;
        // A work queue holds exactly the messages that are not settled, and its consumers must begin at its beginning.
        if (stream->config.retention == js::Retention::workqueue) return false;
        const bool older_than_consumer = stream->created <= *created_;
        return older_than_consumer && stream->state.last_sequence + 1 >= first;
    }

    Expected<void> check(const DeliveryTarget& target, const Json& answer,
                         const std::optional<js::StreamInfo>& declared) const {
        const auto& config = answer["config"];
        const bool pushes = !target.deliver_subject.empty();
        if (pushes && !push_)
            return failure(Errc::bad_setup, spec_.text() + " is a push consumer; use js::Push, or delete it");
        if (!pushes && push_)
            return failure(Errc::bad_setup, spec_.text() + " is a pull consumer; use js::Pull, or delete it");
        if (pushes && !started_ && target.deliver_group.empty() && field<bool>(answer, "push_bound")) {
            return failure(Errc::consumer_exists,
                           spec_.text() + " has a subscriber already; declare it with a `queue` to share it");
        }
        if (const auto broken = broken_promises(promises_, config); !broken.empty())
            return failure(Errc::settings_differ, fmt::format("{}: {}", spec_.text(), fmt::join(broken, "; ")));
        auto stream = declared;
        if (!stream && filters_need_stream(promises_, subject_, config)) stream = look_up_stream();
        return check_filters(spec_.text(), promises_, subject_, config, stream ? &*stream : nullptr);
    }

    std::optional<js::StreamInfo> look_up_stream() const {
        const auto what = "look up stream " + detail::quoted(spec_.stream);
        const auto answer = api_->call("STREAM.INFO." + spec_.stream, what);
        if (!answer) return std::nullopt;  // permissions may forbid it
        auto info = to_stream_info(what, *answer);
        return info ? std::optional{*std::move(info)} : std::nullopt;
    }

    /// Returns a function that deletes the consumer, which nobody but this program uses. Without it the server would
    /// delete the consumer later.
    std::function<void()> forget() const {
        return [api = api_, stream = spec_.stream, name = spec_.name] { forget_consumer(*api, stream, name); };
    }

    Link& link_;
    const std::shared_ptr<const JsApi> api_;
    const js::StreamRef stream_;
    const ConsumerSpec spec_;
    const Subject subject_;
    const Promises promises_;
    const std::chrono::milliseconds max_extension_;
    const bool push_;
    const bool quiet_;
    const bool ephemeral_;
    // The next three are used by declare, of which one call runs at a time.
    bool started_ = false;
    std::optional<std::chrono::system_clock::time_point> created_ = {};
    std::string deliver_subject_ = {};
    std::weak_ptr<MessageSink> sink_ = {};  // the feed keeps it until the end
    LagWatch lag_ = {};
    std::shared_ptr<Feed> feed_ = {};
    std::shared_ptr<ConsumerSession> session_ = {};  // refers to this until its end
};

ConsumerSource::ConsumerSource(ConsumerSourceSettings settings)
    : settings_{std::move(settings)},
      promises_{.settlement = settings_.settlement,
                .consumer = settings_.consumer,
                .workers = settings_.workers,
                .adopted = settings_.declare == js::Declare::never} {}
ConsumerSource::~ConsumerSource() = default;

void ConsumerSource::describe(SourceDescription& description) const {
    const auto& retry = settings_.settlement.retry();
    description.kind = settings_.push ? SourceKind::push : SourceKind::pull;
    describe_stream(settings_.stream, settings_.context, description);
    description.consumer = settings_.durable;
    description.consumer_settings = settings_text(consumer_to_json(settings_.consumer));
    description.filter_subjects = settings_.consumer.filter_subjects;
    description.queue = settings_.queue;
    description.ack_policy = to_string(settings_.settlement.policy());
    description.retry = RetryDescription{retry.max_attempts, retry.backoff, retry.dead_letter};
}

void ConsumerSource::bind(const Subject& subject, Binder& binder) {
    settings_.check(subject, binder);
    for (auto& broken : broken_promises(promises_, consumer_for(settings_.consumer, subject, Lifetime::durable)))
        binder.problem(std::move(broken));
}

Expected<void> ConsumerSource::declare(Link& link) {
    const JsApi api{link, settings_.context};
    const auto declared = declare_stream_of(api, settings_.stream);
    if (!declared) return std::unexpected{declared.error()};
    return declare_dead_letters(api, settings_.settlement.retry());
}

std::string_view ConsumerSource::dead_letter() const noexcept {
    const auto& retry = settings_.settlement.retry();
    if (!retry.dead_letter_stream.name().empty()) return {};  // declare() has made sure of it
    return retry.dead_letter;
}

Confirmer* ConsumerSource::confirmer(Link& link) {
    confirmer_ = std::make_unique<StreamConfirmer>(link, settings_.context, [this](const Message& message) {
        if (const auto running = this->running()) running->feed().returned(message);
    });
    return confirmer_.get();
}

Expected<void> ConsumerSource::start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    try {
        const auto owner = Running::make(link, settings_, promises_, subject, std::move(sink));
        {
            const std::lock_guard lock{mutex_};
            running_ = owner;
        }
        const auto asked = guard_.begun();
        if (asked.quiesce) owner->session().quiesce();
        Expected<void> started = failure(Errc::closed, "the subscriber was stopped before it ran");
        if (!asked.stop) started = owner->session().start(owner);
        if (!started) {
            const std::lock_guard lock{mutex_};
            running_ = nullptr;  // also releases the sink
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

Plan ConsumerSource::plan(const Message& message, const Handled& handled) noexcept {
    const auto running = this->running();
    return running == nullptr ? Plan{} : running->feed().plan(message, handled);
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

std::optional<ConsumerStats> ConsumerSource::consumer_stats() const {
    const auto running = this->running();
    if (running == nullptr) return std::nullopt;
    return running->stats();
}

void ConsumerSource::ask_lag() noexcept {
    if (const auto running = this->running()) running->ask_lag();
}

}  // namespace freshet::detail
