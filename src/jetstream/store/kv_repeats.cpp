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

bool KvBucket::ask_later(Asked& asked, const Error& error) {
    auto& link = store_.link();
    const bool may_pass = passes(error) || unanswered(error) || StoreBucket::may_be_electing(error);
    if (!store_.clustered() || !link.is_open() || !may_pass) return false;
    const auto now = link.clock().now();
    const auto pause = asked.pace.next(now);
    if (!pause) return false;
    const auto waiting = std::make_shared<Asked>(std::move(asked));
    const auto self = shared_from_this();
    link.clock().schedule(
        now + *pause, Later{[self, waiting] { self->ask(std::move(*waiting)); },
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
            const auto left = self->store_.takes_ids(**info) ? KvWrites::Left::with_id : KvWrites::Left::yes;
            self->send_write(*info, message, [done = std::move(done), left](Expected<std::uint64_t> revision) mutable {
                done(std::move(revision), left);
            });
        });
    };
    const auto judge = [&link](const Error& error, KvWrites::Left left) {
        using enum KvWrites::Verdict;
        if (!link.is_open()) return final;
        if (passes(error)) return refused;
        if (left == KvWrites::Left::no) return StoreBucket::may_be_electing(error) ? refused : final;
        return unanswered(error) && left == KvWrites::Left::with_id ? unknown : final;
    };
    const auto report = [&link, what = store_.what() + ": the function that got the result of a write threw"](
                            const Error& why) { link.report(FailureLog::Kind::callback_threw, what, why); };
    repeated_ = std::make_shared<KvWrites>(link.clock(), std::move(send), judge, report);
    return *repeated_;
}

}  // namespace freshet::detail
