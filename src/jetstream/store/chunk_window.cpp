// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/chunk_window.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/wait.hpp"
#include "jetstream/api/election.hpp"

namespace freshet::detail {

/// The part that pending answers share: the chunks from the first one on that is not known to be stored.
class ChunkWindow::State {
public:
    State(Clock& clock, std::string what) : clock_{clock}, what_{std::move(what)} {}

    /// Blocks until at most `limit` bytes are on their way.
    void await(std::size_t limit) {
        std::unique_lock lock{mutex_};
        wait(clock_, lock, changed_, [&] { return in_flight_ <= limit; });
    }
    void sent(std::uint64_t number, Bytes chunk) {
        const std::lock_guard lock{mutex_};
        chunks_.push_back({.number = number, .bytes = std::string{as_text(chunk)}});
        in_flight_ += chunk.size();
    }
    void answered(std::uint64_t number, const Expected<Message>& answer) {
        Expected<std::uint64_t> stored = 0;
        if (answer) stored = read_store_ack(what_, *answer);
        else
            stored =
                std::unexpected{Error{answer.error().code(), what_ + ": " + std::string{answer.error().message()}}};
        const std::lock_guard lock{mutex_};
        auto& chunk = chunks_.at(number - chunks_.front().number);
        in_flight_ -= chunk.bytes.size();
        chunk.stored = std::move(stored);
        while (!chunks_.empty() && chunks_.front().stored && *chunks_.front().stored) settle(**chunks_.front().stored);
        changed_.notify_all();
    }
    /// Whether one was not stored.
    bool failed() const {
        const std::lock_guard lock{mutex_};
        return std::ranges::any_of(chunks_, [](const Chunk& chunk) { return chunk.stored && !*chunk.stored; });
    }

    // While nothing is on its way:
    Chunk* front() noexcept { return chunks_.empty() ? nullptr : &chunks_.front(); }
    /// The sequence of the last one before front().
    std::uint64_t last() const noexcept { return last_; }
    void settle(std::uint64_t sequence) {
        last_ = sequence;
        chunks_.pop_front();
    }

private:
    Clock& clock_;
    const std::string what_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Chunk> chunks_ = {};
    std::size_t in_flight_ = 0;
    std::uint64_t last_ = 0;
};

ChunkWindow::ChunkWindow(Link& link, ChunkTarget target, std::size_t bytes, std::chrono::milliseconds timeout)
    : link_{link},
      target_{std::move(target)},
      timeout_{timeout},
      window_{bytes},
      state_{std::make_shared<State>(link.clock(), target_.what)} {}

ChunkWindow::~ChunkWindow() { state_->await(0); }

Expected<void> ChunkWindow::publish(Bytes chunk) {
    state_->await(window_ > chunk.size() ? window_ - chunk.size() : 0);
    if (state_->failed())
        if (auto recovered = recover(); !recovered) return recovered;
    const auto number = sent_++;
    state_->sent(number, chunk);
    Headers headers;
    headers.set("Nats-Msg-Id", message_id(number));
    link_.request_async(target_.subject, {.body = chunk}, {.timeout = timeout_, .headers = std::move(headers)},
                        [state = state_, number](const Expected<Message>& answer) { state->answered(number, answer); });
    return {};
}

Expected<void> ChunkWindow::finish() {
    state_->await(0);
    return recover();
}

Expected<void> ChunkWindow::recover() {
    state_->await(0);
    while (auto* chunk = state_->front()) {
        auto stored = *chunk->stored;
        const bool again = !stored && (passes(stored.error()) || unanswered(stored.error()));
        if (again || (stored && *stored < state_->last()))
            stored = store_behind(state_->last(), *chunk, stored ? *stored : 0);
        if (!stored) return std::unexpected{stored.error()};
        state_->settle(*stored);
    }
    return {};
}

Expected<std::uint64_t> ChunkWindow::store_behind(std::uint64_t last, const Chunk& chunk, std::uint64_t before) {
    auto id = message_id(chunk.number);
    for (Election election{link_};;) {
        if (before != 0) {  // the server has it in front of the one that it follows: it is stored once more
            if (auto removed = target_.stream.try_delete_message(before); !removed)
                return std::unexpected{removed.error()};
            id += "+";
        }
        Headers headers;
        headers.set("Nats-Msg-Id", id);
        const auto answer = link_.request(target_.subject, {.body = as_bytes(chunk.bytes)},
                                          {.timeout = timeout_, .headers = std::move(headers)});
        const auto stored =
            answer ? read_store_ack(target_.what, *answer) : Expected<std::uint64_t>{std::unexpected{answer.error()}};
        if (stored && *stored > last) return stored;
        before = stored ? *stored : 0;
        if (stored) continue;
        const auto& error = stored.error();
        if ((!passes(error) && !unanswered(error)) || !election.wait())
            return std::unexpected{Error{error.code(), target_.what + ": " + std::string{error.message()}}};
    }
}

Expected<std::uint64_t> read_store_ack(std::string_view what, const Message& answer) {
    const auto ack = parse_js_answer(what, answer.text());
    if (!ack) return std::unexpected{ack.error()};
    if (const auto error = ack->find("error"); error != ack->end()) return std::unexpected{js_error(what, *error)};
    return field<std::uint64_t>(*ack, "seq");
}

}  // namespace freshet::detail
