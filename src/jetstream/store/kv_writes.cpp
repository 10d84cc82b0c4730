// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/kv_writes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "jetstream/publish/publish.hpp"

namespace freshet::detail {

struct KvWrites::Write {
    KvOutgoing message;
    KvWritten done;
    std::uint64_t number = 0;
    bool sent = false;                  // waits for its answer
    std::optional<Error> refusal = {};  // of the attempt before
    bool doubtful = false;              // an attempt before may have been stored
    ElectionPace pace = {};
    TimePoint next = {};  // when to send it again

    /// Whether it must not be stored any more, since a later value is. One with an expectation would be refused.
    bool late(std::uint64_t stored) const noexcept { return number < stored && !message.write.expected; }
};

/// Resumes a line later, or ends its writes if the clock drops the timer.
class KvWrites::Timer {
public:
    Timer(std::shared_ptr<KvWrites> writes, std::string key) : writes_{std::move(writes)}, key_{std::move(key)} {}
    Timer(Timer&&) noexcept = default;
    Timer& operator=(Timer&&) = delete;
    ~Timer() {
        if (writes_ != nullptr) writes_->abandon(key_);
    }
    void operator()() noexcept { std::exchange(writes_, nullptr)->resume(key_); }

private:
    std::shared_ptr<KvWrites> writes_;
    std::string key_;
};

void KvWrites::write(KvOutgoing message, KvWritten done) {
    auto write = std::make_shared<Write>(Write{.message = std::move(message), .done = std::move(done)});
    {
        const std::lock_guard lock{mutex_};
        auto& line = lines_[write->message.key];
        line.writes.push_back(write);
        write->number = ++numbers_;
        if (line.blocked || line.resuming) return;
        write->sent = true;
        ++line.sent;
    }
    send(write);
}

void KvWrites::send(const std::shared_ptr<Write>& write) noexcept {
    try {
        send_(write->message, [self = shared_from_this(), write](Expected<std::uint64_t> revision, Left left) {
            self->answered(write, std::move(revision), left);
        });
    } catch (...) { answered(write, std::unexpected{exception_error()}, Left::yes); }
}

void KvWrites::answered(const std::shared_ptr<Write>& write, Expected<std::uint64_t> revision, Left left) noexcept {
    const auto& key = write->message.key;
    Writes late;
    std::optional<TimePoint> resume_at;
    bool again = false;
    {
        const std::lock_guard lock{mutex_};
        auto& line = lines_[key];
        --line.sent;
        write->sent = false;
        if (revision) line.stored = std::max(line.stored, write->number);
        if (!revision && write->message.asks && says_not_stored(revision.error()))
            revision = std::unexpected{*write->refusal};
        else again = !revision && may_repeat(*write, line, revision.error(), left);
        if (again) line.blocked = true;
        else std::erase(line.writes, write);
        late = take_late(line);
        resume_at = time_to_resume(line);
        if (line.writes.empty()) lines_.erase(key);
    }
    for (const auto& one : late) tell(*one, std::unexpected{*one->refusal});
    if (!again) tell(*write, std::move(revision));
    if (resume_at) schedule(key, *resume_at);
}

bool KvWrites::may_repeat(Write& write, const Line& line, const Error& error, Left left) {
    const auto verdict = judge_(error, left);
    // An expectation that is not met, perhaps because of an earlier attempt: servers with one replica look at
    // expectations before they look at ids.
    const bool by_itself = write.doubtful && !write.message.asks && is_unmet(error);
    if (verdict == Verdict::final && !by_itself) return false;
    if (verdict == Verdict::unknown) write.doubtful = true;
    if (write.late(line.stored) && !write.doubtful) return false;
    const auto now = clock_.now();
    const auto pause = write.pace.next(now);
    if (!pause) return false;
    write.next = now + *pause;
    if (!write.message.asks) write.refusal = error;
    if (by_itself) write.message.asks = true;
    return true;
}

KvWrites::Writes KvWrites::take_late(Line& line) {
    Writes late;
    std::erase_if(line.writes, [&](const auto& write) {
        if (write->sent || !write->refusal || !write->late(line.stored)) return false;
        write->message.asks = write->message.asks || write->doubtful;
        if (write->message.asks) return false;
        late.push_back(write);
        return true;
    });
    return late;
}

std::optional<TimePoint> KvWrites::time_to_resume(Line& line) {
    if (line.sent > 0 || line.resuming || line.scheduled || line.writes.empty()) return std::nullopt;
    line.scheduled = true;
    return std::ranges::max(line.writes, {}, [](const auto& write) { return write->next; })->next;
}

void KvWrites::schedule(const std::string& key, TimePoint when) noexcept {
    try {
        clock_.schedule(when, Timer{shared_from_this(), key});
    } catch (...) { return; }  // no memory for a timer: its writes were abandoned
}

void KvWrites::resume(const std::string& key) noexcept {
    {
        const std::lock_guard lock{mutex_};
        const auto found = lines_.find(key);
        if (found == lines_.end()) return;
        found->second.scheduled = found->second.blocked = false;
        found->second.resuming = true;
    }
    while (const auto write = take_next(key)) send(write);
    std::optional<TimePoint> resume_at;
    {
        const std::lock_guard lock{mutex_};
        if (const auto found = lines_.find(key); found != lines_.end()) resume_at = time_to_resume(found->second);
    }
    if (resume_at) schedule(key, *resume_at);
}

std::shared_ptr<KvWrites::Write> KvWrites::take_next(const std::string& key) {
    const std::lock_guard lock{mutex_};
    const auto found = lines_.find(key);
    if (found == lines_.end()) return nullptr;
    auto& line = found->second;
    const auto next = std::ranges::find(line.writes, false, [](const auto& write) { return write->sent; });
    if (line.blocked || next == line.writes.end()) {
        line.resuming = false;
        return nullptr;
    }
    (*next)->sent = true;
    ++line.sent;
    return *next;
}

void KvWrites::abandon(const std::string& key) noexcept {
    Writes ended;
    {
        const std::lock_guard lock{mutex_};
        const auto found = lines_.find(key);
        if (found == lines_.end()) return;
        ended = std::exchange(found->second.writes, {});
        lines_.erase(found);
    }
    for (const auto& write : ended) {
        tell(*write, failure(Errc::closed, fmt::format("put key {}: the broker ended before it was stored",
                                                       quoted(write->message.key))));
    }
}

void KvWrites::tell(Write& write, Expected<std::uint64_t> revision) noexcept {
    try {
        write.done(std::move(revision));
    } catch (...) { report_(exception_error()); }
}

}  // namespace freshet::detail
