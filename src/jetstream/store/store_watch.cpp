// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/store_watch.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "base/wait.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

// Never sent: used only between a watch and the reader of its messages, in this process.
constexpr std::string_view initial_header = "Freshet-Initial";

}  // namespace

Message watch_message(std::string_view subject, const Message& stored, bool initial) {
    auto headers = stored.headers();
    if (initial) headers.set(initial_header, "1");
    return Message::make(subject, stored.payload(), headers, stored.reply_to());
}

bool is_initial(const Message& watch_message) { return watch_message.header(initial_header).has_value(); }

class StoreWatch::Feed final : public OrderedListener {
public:
    Feed(Link& link, WatchSpec spec, std::shared_ptr<MessageSink> sink)
        : link_{link}, spec_{std::move(spec)}, sink_{std::move(sink)} {}

    void handled(const Message& message) noexcept {
        handled_(message.payload().size());
        const std::lock_guard lock{mutex_};
        if (caught_up_ || !is_initial(message)) return;
        --in_hand_;
        catch_up_if_done();
    }

    void on_open(std::function<void(std::size_t)> handled) noexcept override { handled_ = std::move(handled); }
    void on_start(std::uint64_t pending) noexcept override {
        if (pending == 0) all_fed();
    }

    void on_message(Message message, const Metadata& metadata) noexcept override {
        const bool last = metadata.pending == 0;
        const bool initial = !all_fed_;
        if (auto fed = translated(message, initial)) {
            if (initial) count_fed();
            sink_->on_message(std::move(fed));
        } else {
            handled_(message.payload().size());
        }
        if (last) all_fed();
    }

    /// The remaining initial messages may have been removed from the stream meanwhile, so none is left to wait for.
    void on_idle() noexcept override { all_fed(); }

    void on_reset(std::uint64_t pending) noexcept override {
        link_.logger().warn("watch of {}: the server lost it; the new one has {} entries", spec_.what, pending);
        if (pending == 0) all_fed();
    }

    void on_missing() noexcept override {
        if (!spec_.declare) return;
        const auto declared = spec_.declare();
        if (!declared) link_.logger().warn("watch of {}: {}", spec_.what, declared.error().message());
    }

    void on_lost(const Error& why) noexcept override {
        if (const auto sink = lost_sink_.lock()) sink->on_lost(why);
    }
    void on_back() noexcept override {
        if (const auto sink = lost_sink_.lock()) sink->on_back();
    }

    void on_end() noexcept override { std::exchange(sink_, nullptr)->on_end(); }

private:
    Message translated(const Message& stored, bool initial) noexcept {
        try {
            return spec_.translate(stored, initial);
        } catch (...) {
            link_.report(FailureLog::Kind::left_out, "watch of " + spec_.what + ": a message is left out",
                         exception_error());
        }
        return {};
    }

    void count_fed() {
        const std::lock_guard lock{mutex_};
        ++in_hand_;
    }

    void all_fed() noexcept {
        const std::lock_guard lock{mutex_};
        all_fed_ = true;
        catch_up_if_done();
    }

    /// Calls caught_up if all initial messages are handled. Call it with the lock held, so that caught_up is called
    /// before later messages are fed.
    void catch_up_if_done() noexcept {
        if (!all_fed_ || caught_up_ || in_hand_ > 0) return;
        caught_up_ = true;
        if (!spec_.caught_up) return;
        const CallbackScope scope;  // it may run on a thread that delivers
        try {
            spec_.caught_up();
        } catch (...) { link_.logger().error("watch of {}: caught_up threw: {}", spec_.what, exception_text()); }
    }

    Link& link_;
    WatchSpec spec_;
    std::shared_ptr<MessageSink> sink_;
    const std::weak_ptr<MessageSink> lost_sink_{sink_};  // for calls from any thread
    std::function<void(std::size_t)> handled_ = {};
    std::mutex mutex_ = {};
    std::atomic<bool> all_fed_ = false;  // all initial messages were fed
    std::size_t in_hand_ = 0;            // initial messages that were fed and are not handled
    bool caught_up_ = false;
};

StoreWatch::~StoreWatch() = default;

StoreWatch::StoreWatch(Link& link, WatchSpec spec, std::shared_ptr<MessageSink> sink)
    : link_{link}, ordered_{spec.ordered}, feed_{std::make_shared<Feed>(link, std::move(spec), std::move(sink))} {}

Expected<void> StoreWatch::start() {
    auto consumer = OrderedConsumer::start(link_, ordered_, feed_);
    if (!consumer) return std::unexpected{std::move(consumer).error()};
    consumer_ = *std::move(consumer);
    return {};
}

void StoreWatch::handled(const Message& message) noexcept { feed_->handled(message); }

class WatchQueue::Sink final : public MessageSink {
public:
    Sink(Clock& clock, std::string what) noexcept : clock_{clock}, what_{std::move(what)} {}

    void on_message(Message message) noexcept override { push(std::move(message)); }
    void on_end() noexcept override { end(); }
    /// Pushes an empty message: all messages before it are entries that existed at first.
    void on_caught_up() noexcept { push({}); }

    void end() noexcept {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        changed_.notify_all();
    }

    std::optional<Message> next(TimePoint deadline, bool until_caught_up) {
        std::unique_lock lock{mutex_};
        for (;;) {
            if (until_caught_up && caught_up_) return std::nullopt;
            if (!ended_ && waiting_.empty() && !may_wait() && deadline > clock_.now())
                raise(wait_refused("reading the watch of " + what_));
            if (!wait_until(clock_, lock, changed_, deadline, [this] { return ended_ || !waiting_.empty(); }))
                return std::nullopt;
            if (ended_) return std::nullopt;
            auto message = std::move(waiting_.front());
            waiting_.pop_front();
            if (message) return message;
            caught_up_ = true;
        }
    }

    bool caught_up() const {
        const std::lock_guard lock{mutex_};
        return caught_up_ || (!waiting_.empty() && !waiting_.front());
    }

    Clock& clock() const noexcept { return clock_; }

private:
    void push(Message message) noexcept {
        const std::lock_guard lock{mutex_};
        waiting_.push_back(std::move(message));
        changed_.notify_all();
    }

    Clock& clock_;
    const std::string what_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Message> waiting_ = {};
    bool caught_up_ = false;
    bool ended_ = false;
};

WatchQueue::WatchQueue(std::shared_ptr<Sink> sink, std::unique_ptr<StoreWatch> watch) noexcept
    : sink_{std::move(sink)}, watch_{std::move(watch)} {}

WatchQueue::~WatchQueue() = default;

Expected<std::unique_ptr<WatchQueue>> WatchQueue::start(Link& link, WatchSpec spec) {
    auto sink = std::make_shared<Sink>(link.clock(), spec.what);
    spec.caught_up = [sink] { sink->on_caught_up(); };
    auto watch = std::make_unique<StoreWatch>(link, std::move(spec), sink);
    if (auto started = watch->start(); !started) return std::unexpected{std::move(started).error()};
    return std::unique_ptr<WatchQueue>{new WatchQueue{std::move(sink), std::move(watch)}};
}

std::optional<Message> WatchQueue::next(std::optional<std::chrono::milliseconds> timeout, bool until_caught_up) {
    const auto deadline = timeout ? sink_->clock().now() + std::min(*timeout, longest_timeout) : TimePoint::max();
    auto message = sink_->next(deadline, until_caught_up);
    if (message) watch_->handled(*message);
    return message;
}

bool WatchQueue::caught_up() const { return sink_->caught_up(); }

void WatchQueue::stop() noexcept {
    sink_->end();
    watch_->stop(std::chrono::milliseconds{0});
}

}  // namespace freshet::detail
