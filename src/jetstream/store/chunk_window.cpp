// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/chunk_window.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/wait.hpp"

namespace freshet::detail {

/// The part that pending answers share.
class ChunkWindow::State {
public:
    State(Clock& clock, std::string what) : clock_{clock}, what_{std::move(what)} {}

    /// Blocks until at most `limit` bytes are on their way.
    void await(std::size_t limit) {
        std::unique_lock lock{mutex_};
        wait(clock_, lock, changed_, [&] { return in_flight_ <= limit; });
    }
    void sent(std::size_t bytes) {
        const std::lock_guard lock{mutex_};
        in_flight_ += bytes;
    }
    void answered(std::size_t bytes, const Expected<Message>& answer) {
        std::optional<Error> error;
        if (!answer) error.emplace(answer.error().code(), what_ + ": " + std::string{answer.error().message()});
        else if (const auto ack = read_store_ack(what_, *answer); !ack) error = ack.error();
        const std::lock_guard lock{mutex_};
        if (error && !failed_) failed_ = std::move(error);
        in_flight_ -= bytes;
        changed_.notify_all();
    }
    Expected<void> result() const {
        const std::lock_guard lock{mutex_};
        if (failed_) return std::unexpected{*failed_};
        return {};
    }

private:
    Clock& clock_;
    const std::string what_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::size_t in_flight_ = 0;
    std::optional<Error> failed_ = {};
};

ChunkWindow::ChunkWindow(Link& link, std::size_t bytes, std::chrono::milliseconds timeout, std::string what)
    : link_{link}, timeout_{timeout}, window_{bytes}, state_{std::make_shared<State>(link.clock(), std::move(what))} {}

ChunkWindow::~ChunkWindow() { state_->await(0); }

Expected<void> ChunkWindow::publish(std::string_view subject, Bytes chunk) {
    const auto bytes = chunk.size();
    state_->await(window_ > bytes ? window_ - bytes : 0);
    if (auto before = state_->result(); !before) return before;
    state_->sent(bytes);
    link_.request_async(subject, {.body = chunk}, {.timeout = timeout_},
                        [state = state_, bytes](const Expected<Message>& answer) { state->answered(bytes, answer); });
    return {};
}

Expected<void> ChunkWindow::finish() {
    state_->await(0);
    return state_->result();
}

Expected<std::uint64_t> read_store_ack(std::string_view what, const Message& answer) {
    const auto ack = parse_js_answer(what, answer.text());
    if (!ack) return std::unexpected{ack.error()};
    if (const auto error = ack->find("error"); error != ack->end()) return std::unexpected{js_error(what, *error)};
    return field<std::uint64_t>(*ack, "seq");
}

}  // namespace freshet::detail
