// SPDX-License-Identifier: Apache-2.0
#include "pull_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <freshet/subject.hpp>

#include "../quoted.hpp"
#include "../random_id.hpp"
#include "consumer_json.hpp"
#include "consumers.hpp"
#include "feed.hpp"
#include "pull_session.hpp"
#include "source_checks.hpp"

namespace freshet::detail {
namespace {

// The server removes an ephemeral consumer after so long without us: longer than it takes to restart one.
constexpr std::chrono::milliseconds ephemeral_threshold{std::chrono::minutes{5}};
constexpr std::size_t largest_window = 512;
constexpr std::chrono::milliseconds least_expires{1'000};

js::PullLimits limits_of(const js::Pull& options) {
    const auto workers = std::max<std::size_t>(options.workers, 1);
    js::PullLimits limits{.min_window = workers * 2,
                          .max_window = std::max(largest_window, workers * 2),
                          .max_bytes = options.prefetch_bytes,
                          .expires = options.expires,
                          .heartbeat = options.heartbeat};
    if (options.batch.size > 0) limits.min_window = limits.max_window = workers * 2 * options.batch.size;
    if (options.prefetch > 0) limits.min_window = limits.max_window = options.prefetch;
    return limits;
}

ConsumerSpec spec_of(const js::Pull& options, const Subject& subject) {
    auto config = options.consumer;
    if (config.filter_subjects.empty() && subject.wire() != ">") config.filter_subjects = {std::string{subject.wire()}};
    if (options.ephemeral && config.inactive_threshold.count() == 0) config.inactive_threshold = ephemeral_threshold;
    ConsumerSpec spec{.stream = options.stream.name(),
                      .name = options.ephemeral ? random_id() : options.durable,
                      .declare = options.ephemeral ? js::Declare::create_if_missing : options.declare,
                      .wanted = complete_consumer(config)};
    if (!options.ephemeral) spec.wanted["durable_name"] = spec.name;
    return spec;
}

}  // namespace

/// What runs of a PullSource: declares, feeds, settles.
class PullSource::Puller final : public PullOwner {
public:
    Puller(BrokerCore& core, const js::Pull& options, const Subject& subject)
        : api_{std::make_shared<const JsApi>(core, options.context)},
          stream_{options.stream},
          spec_{spec_of(options, subject)} {}

    static std::shared_ptr<Puller> make(BrokerCore& core, const js::Pull& options, const Subject& subject,
                                        std::shared_ptr<MessageSink> sink) {
        auto puller = std::make_shared<Puller>(core, options, subject);
        PullSettings settings{.limits = limits_of(options),
                              .group = options.priority.group,
                              .min_pending = options.priority.min_pending,
                              .min_ack_pending = options.priority.min_ack_pending,
                              .priority = options.priority.level,
                              .who = puller->spec_.text()};
        puller->session_ = std::make_shared<PullSession>(puller->api_, std::move(settings), puller);
        js::Settlement settlement{options.ack_policy.value_or(AckPolicy::nack_on_error), options.retry};
        puller->feed_ =
            std::make_shared<Feed>(core, std::move(settlement), puller->spec_.text(), std::move(sink),
                                   [weak = std::weak_ptr{puller->session_}](std::size_t bytes, TimePoint since) {
                                       if (const auto session = weak.lock()) session->handled(bytes, since);
                                   });
        return puller;
    }

    Feed& feed() const noexcept { return *feed_; }
    PullSession& session() const noexcept { return *session_; }

    Expected<std::string> declare() override {
        if (auto declared = declare_stream_of(*api_, stream_); !declared) return std::unexpected{declared.error()};
        const auto answer = declare_consumer(*api_, spec_);
        if (!answer) return std::unexpected{answer.error()};
        const auto& config = (*answer)["config"];
        if (!field<std::string>(config, "deliver_subject").empty()) {
            return failure(Errc::bad_setup, spec_.text() + " is a push consumer: use js::Push, or delete it");
        }
        feed_->set_ack_wait(ack_wait_of(config));
        return spec_.stream + '.' + spec_.name;
    }

    void on_message(Message message, const Metadata& metadata) noexcept override {
        feed_->feed(std::move(message), metadata);
    }

    void on_end() noexcept override { feed_->end(); }

private:
    const std::shared_ptr<const JsApi> api_;
    const js::StreamRef stream_;
    const ConsumerSpec spec_;
    std::shared_ptr<Feed> feed_ = {};
    std::shared_ptr<PullSession> session_ = {};  // which refers to this until its end
};

PullSource::PullSource(js::Pull options) : options_{std::move(options)} {}
PullSource::~PullSource() = default;

void PullSource::bind(const Subject&, Binder& binder) {
    check_name("stream", options_.stream.name(), binder);
    if (options_.ephemeral == !options_.durable.empty())
        binder.problem("js::Pull needs either `durable`, a consumer's name, or `ephemeral = true`");
    if (!options_.durable.empty()) check_name("consumer", options_.durable, binder);
    if (options_.ephemeral && !options_.consumer.deliver) {
        binder.problem("js::Pull with `ephemeral` needs `consumer.deliver`: Deliver::all is the whole stream at each "
                       "start, Deliver::fresh only what comes later");
    }
    if (options_.expires < least_expires) binder.problem("js::Pull::expires is less than a second");
    if (options_.heartbeat.count() <= 0 || options_.heartbeat * 2 > options_.expires)
        binder.problem("js::Pull::heartbeat must be more than 0 and at most half of `expires`");
    check_consumer_config(options_.consumer, binder);
    check_retry(options_.retry, binder);
}

Expected<void> PullSource::start(BrokerCore& core, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    try {
        auto puller = Puller::make(core, options_, subject, std::move(sink));
        {
            const std::lock_guard lock{mutex_};
            if (stopped_) return failure(Errc::closed, "the subscriber was stopped before it ran");
            puller_ = puller;
        }
        auto started = puller->session().start();
        if (!started) {
            const std::lock_guard lock{mutex_};
            puller_ = nullptr;  // and with it the sink
        }
        return started;
    } catch (const Error& error) { return std::unexpected{error}; }
}

std::shared_ptr<PullSource::Puller> PullSource::puller() const {
    const std::lock_guard lock{mutex_};
    return puller_;
}

void PullSource::quiesce() noexcept {
    if (const auto running = puller()) running->session().quiesce();
}

void PullSource::stop(std::chrono::milliseconds timeout) noexcept {
    {
        const std::lock_guard lock{mutex_};
        stopped_ = true;
    }
    if (const auto running = puller()) running->session().stop(timeout);
}

bool PullSource::wants_back() const noexcept {
    const auto running = puller();
    return running != nullptr && running->session().stopping();
}

void PullSource::settle(Message message, const Handled& handled) noexcept {
    if (const auto running = puller()) running->feed().settle(std::move(message), handled);
}

void PullSource::in_progress(const Message& message) noexcept {
    if (const auto running = puller()) running->feed().in_progress(message);
}

Expected<void> PullSource::ack_sync(const Message& message, std::chrono::milliseconds timeout) {
    return puller()->feed().ack_sync(message, timeout);
}

std::size_t PullSource::pending() const noexcept {
    const auto running = puller();
    return running == nullptr ? 0 : running->session().pending();
}

}  // namespace freshet::detail

namespace freshet::js {

detail::SourceSpec make_source(Pull options) {
    constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
    SubscriberOptions run{.workers = options.workers,
                          .ordered_by = options.ordered_by,
                          .dedicated = true,
                          .max_pending_messages = unlimited,  // the window is the limit
                          .max_pending_bytes = unlimited};
    return {std::move(run), std::make_unique<detail::PullSource>(std::move(options))};
}

}  // namespace freshet::js
