// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/ordered.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/consumer_source.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/pull_policy.hpp"

namespace freshet::detail {
namespace {

constexpr std::chrono::milliseconds ordered_threshold{std::chrono::minutes{5}};
constexpr std::chrono::milliseconds longest_expires{30'000};
constexpr std::chrono::milliseconds longest_look{1'000};

PullLimits limits_of(const OrderedOptions& options) {
    return {.min_window = options.window,
            .max_window = options.window,
            .max_bytes = options.max_bytes,
            .expires = std::max(longest_expires, options.heartbeat * 2),
            .heartbeat = options.heartbeat};
}

}  // namespace

class OrderedConsumer::State final : public SessionOwner {
public:
    using Anew = Acknowledger::Anew;

    State(Link& link, OrderedOptions options, std::shared_ptr<OrderedListener> listener)
        : link_{link},
          api_{std::make_shared<const JsApi>(link, options.context)},
          options_{std::move(options)},
          text_{"the ordered consumer of stream " + detail::quoted(options_.stream)},
          listener_{std::move(listener)} {}

    static Expected<std::shared_ptr<State>> start(Link& link, OrderedOptions options,
                                                  std::shared_ptr<OrderedListener> listener) {
        if (auto valid = check_js_name("stream", options.stream); !valid) return std::unexpected{valid.error()};
        auto state = std::make_shared<State>(link, std::move(options), std::move(listener));
        state->session_ =
            std::make_shared<ConsumerSession>(state->api_, state->text_,
                                              PullPolicy::make(*state->api_, {.limits = limits_of(state->options_)}));
        state->listener_->on_open([weak = std::weak_ptr{state->session_}, &clock = link.clock()](std::size_t bytes) {
            if (const auto session = weak.lock()) session->handled({.count = 1, .bytes = bytes, .since = clock.now()});
        });
        if (auto started = state->session_->start(state); !started) return std::unexpected{started.error()};
        return state;
    }

    ConsumerSession& session() const noexcept { return *session_; }

    Expected<DeliveryTarget> declare() override {
        auto stream = api_->call("STREAM.INFO." + options_.stream, "look up stream " + detail::quoted(options_.stream));
        if (!stream) {
            if (declared_ && stream.error().code() == Errc::stream_not_found) listener_->on_missing();
            return std::unexpected{stream.error()};
        }
        auto created = field<std::string>(*stream, "created");
        const auto anew = declared_ && created != stream_created_ ? Anew::yes : Anew::no;
        if (!declared_ && options_.deliver == js::Deliver::fresh)
            first_ = field<std::uint64_t>(field<Json>(*stream, "state"), "last_seq") + 1;
        if (anew == Anew::yes && options_.deliver != js::Deliver::last_per_subject) first_ = 1;
        const auto since = declared_ && anew == Anew::no ? follow_rollback(*stream) : std::nullopt;
        const auto name = random_id();
        const auto answer = create(name, anew, since);
        if (!answer) return std::unexpected{answer.error()};
        begin(name, field<std::uint64_t>(*answer, "num_pending"), anew);
        stream_created_ = std::move(created);
        return DeliveryTarget{.consumer = options_.stream + '.' + name,
                              .limits = request_limits_of((*answer)["config"])};
    }

    void on_message(Message message, const Metadata& metadata) noexcept override {
        const auto bytes = message.payload().size();
        {
            const std::lock_guard lock{mutex_};
            if (accept(metadata)) return listener_->on_message(std::move(message), metadata);
        }
        session_->handled({.count = 1, .bytes = bytes, .since = link_.clock().now()});
    }

    void on_heartbeat(std::uint64_t last) noexcept override {
        {
            const std::lock_guard lock{mutex_};
            if (name_.empty()) return;
            if (last < next_) return listener_->on_idle();
            lose();
        }
        session_->declare_again();
    }

    void on_lost(const Error& why) noexcept override { listener_->on_lost(why); }
    void on_back() noexcept override { listener_->on_back(); }

    void on_end() noexcept override {
        std::string name;
        {
            const std::lock_guard lock{mutex_};
            name = std::exchange(old_name_, {});
        }
        if (!name.empty()) forget(name);
        listener_->on_end();
    }

private:
    using StoredTime = std::chrono::system_clock::time_point;

    /// Finds out whether the stream has lost its end, as after a power failure or from a backup. It keeps its time of
    /// creation then, but messages stored later get sequences that were delivered before. Goes on behind the end that
    /// the stream has; if that is further on already, returns the time since when everything is to be delivered.
    /// Blocks for an answer.
    std::optional<StoredTime> follow_rollback(const Json& stream) {
        const auto state = field<Json>(stream, "state", Json::object());
        const auto end = field<std::uint64_t>(state, "last_seq");
        std::unique_lock lock{mutex_};
        const auto delivered = last_sequence_;
        const auto time = last_time_;
        if (delivered == 0) return std::nullopt;
        if (end < delivered) {
            last_sequence_ = end;
            if (end == 0) first_ = 1;
            lock.unlock();
            link_.logger().warn("{}: the stream has lost its end: its last message is {}, and {} was delivered. What "
                                "is stored after {} follows",
                                text_, end, delivered, end);
            return std::nullopt;
        }
        lock.unlock();
        const auto stored = stored_time(state, delivered);
        if (!stored || *stored <= time) return std::nullopt;
        link_.logger().warn("{}: the stream has lost its end: message {} is another one than was delivered. What was "
                            "stored after that one follows",
                            text_, delivered);
        return time + StoredTime::duration{1};
    }

    /// Returns when the stream stored its message `sequence`; nothing if it has none, or the server does not answer.
    std::optional<StoredTime> stored_time(const Json& state, std::uint64_t sequence) {
        if (field<std::uint64_t>(state, "last_seq") == sequence)
            return parse_rfc3339(field<std::string>(state, "last_ts"));
        if (!may_read_) return std::nullopt;
        const auto answer = api_->call("STREAM.MSG.GET." + options_.stream, "read the last delivered message",
                                       {{"seq", sequence}}, std::min(api_->options().timeout, longest_look));
        // Permissions may forbid it: then nobody answers, now and later.
        if (!answer && answer.error().code() == Errc::timeout) may_read_ = false;
        if (!answer) return std::nullopt;
        return parse_rfc3339(field<std::string>(field<Json>(*answer, "message", Json::object()), "time"));
    }

    Expected<Json> create(const std::string& name, Anew anew, const std::optional<StoredTime>& since) {
        js::ConsumerConfig config{.deliver = options_.deliver,
                                  .start_sequence = options_.start_sequence,
                                  .start_time = options_.start_time,
                                  .filter_subjects = options_.filter_subjects,
                                  .acks = js::Acks::none,
                                  .replay = options_.replay,
                                  .headers_only = options_.headers_only,
                                  .inactive_threshold = ordered_threshold,
                                  .replicas = 1,
                                  .memory_storage = true};
        std::string old_name;
        {
            const std::lock_guard lock{mutex_};
            old_name = std::exchange(old_name_, {});
            name_.clear();  // ignores what the old consumer still sends: it comes again
            if (anew == Anew::yes) last_sequence_ = 0;
            if (anew == Anew::yes) begin_with_everything(config);
            else if (since) begin_since(config, *since);
            else if (last_sequence_ > 0) begin_at(config, last_sequence_ + 1);
            else if (declared_ && first_ > 0) begin_at(config, first_);
        }
        if (!old_name.empty()) forget(old_name);
        auto json = consumer_to_json(config);
        json["name"] = name;
        auto answer = api_->call(create_operation(options_.stream, name, json), "create " + text_,
                                 {{"stream_name", options_.stream}, {"config", json}, {"action", "create"}});
        if (!answer) return answer;
        if (auto kept =
                check_settings_kept(consumer_settings_with_version(json), field<Json>(*answer, "config"), text_);
            !kept) {
            forget(name);
            return std::unexpected{kept.error()};
        }
        return answer;
    }

    static void begin_at(js::ConsumerConfig& config, std::uint64_t sequence) {
        config.deliver = js::Deliver::from_sequence;
        config.start_sequence = sequence;
        config.start_time = {};
    }

    static void begin_since(js::ConsumerConfig& config, StoredTime time) {
        config.deliver = js::Deliver::from_time;
        config.start_sequence = 0;
        config.start_time = time;
    }

    /// Makes the consumer begin with all messages: in a new stream every message is newer than those of the old one.
    static void begin_with_everything(js::ConsumerConfig& config) {
        if (config.deliver == js::Deliver::last_per_subject) return;
        config.deliver = js::Deliver::all;
        config.start_sequence = 0;
        config.start_time = {};
    }

    void forget(const std::string& name) { forget_consumer(*api_, options_.stream, name); }

    void begin(const std::string& name, std::uint64_t pending, Anew anew) {
        const std::lock_guard lock{mutex_};
        name_ = name;
        old_name_ = name;
        next_ = 1;
        if (!declared_) listener_->on_start(pending);
        else if (anew == Anew::yes) listener_->on_reset(pending);
        declared_ = true;
    }

    /// Returns whether a message is the next one. After a gap, ignores all messages until the consumer was made anew.
    bool accept(const Metadata& metadata) {
        if (metadata.consumer != name_) return false;
        if (metadata.consumer_sequence != next_) {
            lose();
            session_->declare_again();
            return false;
        }
        ++next_;
        last_sequence_ = metadata.stream_sequence;
        last_time_ = metadata.time;
        return true;
    }

    void lose() {
        link_.logger().warn("{} has a gap after message {}; it is created again", text_, last_sequence_);
        name_.clear();
    }

    Link& link_;
    const std::shared_ptr<const JsApi> api_;
    const OrderedOptions options_;
    const std::string text_;
    const std::shared_ptr<OrderedListener> listener_;
    std::shared_ptr<ConsumerSession> session_ = {};  // refers to this until its end

    std::string stream_created_ = {};  // used by declare, of which one call runs at a time; the next two too
    bool may_read_ = true;             // the server answers when it is asked for a message
    std::uint64_t first_ = 0;          // where to begin again while nothing has been delivered; 0: as at the start
    std::mutex mutex_ = {};            // for the members below, and calls of the listener
    std::string name_ = {};            // empty: lost
    std::string old_name_ = {};        // the consumer created last
    std::uint64_t next_ = 1;           // consumer sequence
    std::uint64_t last_sequence_ = 0;  // the last delivered; 0: none
    StoredTime last_time_ = {};        // of the last delivered
    bool declared_ = false;
};

Expected<std::unique_ptr<OrderedConsumer>> OrderedConsumer::start(Link& link, OrderedOptions options,
                                                                  std::shared_ptr<OrderedListener> listener) {
    try {
        auto state = State::start(link, std::move(options), std::move(listener));
        if (!state) return std::unexpected{state.error()};
        return std::unique_ptr<OrderedConsumer>{new OrderedConsumer{*std::move(state)}};
    } catch (const Error& error) { return std::unexpected{error}; }
}

OrderedConsumer::OrderedConsumer(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

OrderedConsumer::~OrderedConsumer() { stop(std::chrono::milliseconds{0}); }

void OrderedConsumer::quiesce() noexcept { state_->session().quiesce(); }
void OrderedConsumer::stop(std::chrono::milliseconds timeout) noexcept { state_->session().stop(timeout); }
std::size_t OrderedConsumer::pending() const noexcept { return state_->session().pending(); }

}  // namespace freshet::detail
