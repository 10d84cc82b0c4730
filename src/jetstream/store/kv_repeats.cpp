// SPDX-License-Identifier: Apache-2.0
// Repeats the operations of a bucket that do not wait, while a cluster elects a leader.
#include <utility>

#include "jetstream/store/kv_bucket.hpp"

namespace freshet::detail {
namespace {

/// Repeats a get when its time has come, or ends it if the clock drops the timer.
template <class Repeat, class End>
class Later {
public:
    Later(Repeat repeat, End end) : repeat_{std::move(repeat)}, end_{std::move(end)} {}
    Later(Later&& other) noexcept
        : repeat_{std::move(other.repeat_)}, end_{std::move(other.end_)}, waits_{std::exchange(other.waits_, false)} {}
    Later& operator=(Later&&) = delete;
    ~Later() {
        if (waits_) end_();
    }
    void operator()() {
        waits_ = false;
        repeat_();
    }

private:
    Repeat repeat_;
    End end_;
    bool waits_ = true;
};

}  // namespace

bool KvBucket::ask_later(const std::shared_ptr<const js::StreamInfo>& info, Asked& asked, const Error& error) {
    auto& link = store_.link();
    if (!StoreBucket::in_cluster(*info) || !passes(error) || !link.is_open()) return false;
    const auto now = link.clock().now();
    const auto pause = asked.pace.next(now);
    if (!pause) return false;
    const auto waiting = std::make_shared<Asked>(std::move(asked));
    const auto self = shared_from_this();
    link.clock().schedule(
        now + *pause, Later{[self, info, waiting] { self->ask_latest(info, std::move(*waiting)); },
                            [self, waiting] {
                                waiting->done(failure(Errc::closed, self->what("get", waiting->key) +
                                                                        ": the broker ended before it was answered"));
                            }});
    return true;
}

KvWrites& KvBucket::repeated_writes() {
    const std::lock_guard lock{mutex_};
    if (repeated_ != nullptr) return *repeated_;
    auto& link = store_.link();
    auto send = [weak = weak_from_this()](const KvOutgoing& message, KvWrites::Answered done) {
        const auto self = weak.lock();  // each write keeps the bucket alive
        self->store_.when_ready([self, &message, done = std::move(done)](const StoreBucket::Ready& info) mutable {
            if (!info) return done(std::unexpected{info.error()}, KvWrites::Left::no);
            self->send_write(*info, message.key, {as_bytes(message.body), message.content_type}, message.write,
                             [done = std::move(done)](Expected<std::uint64_t> revision) mutable {
                                 done(std::move(revision), KvWrites::Left::yes);
                             });
        });
    };
    // The leader of all streams, who knows where this one is, may be elected, too.
    const auto may_pass = [&link](const Error& error, KvWrites::Left left) {
        const bool unanswered = error == Errc::timeout || error == Errc::no_jetstream;
        return (passes(error) || (left == KvWrites::Left::no && unanswered)) && link.is_open();
    };
    const auto report = [&link, what = store_.what() + ": the function that got the result of a write threw"](
                            const Error& why) { link.report(FailureLog::Kind::callback_threw, what, why); };
    repeated_ = std::make_shared<KvWrites>(link.clock(), std::move(send), may_pass, report);
    return *repeated_;
}

}  // namespace freshet::detail
