// SPDX-License-Identifier: Apache-2.0
// Gives messages back to cnats in lots.
#include <array>
#include <cstddef>
#include <utility>

#include <freshet/message.hpp>
#include <nats/nats.h>

#include "base/fork.hpp"

namespace freshet::detail {
namespace {

// cnats frees received messages in a thread of its own, which it wakes for the first message after each pause. One by
// one, that would be a switch of threads for every few messages. A few large messages are a full lot, so that little
// memory waits. With a sanitizer each message is given back at once, so that it can find a use after that.
#ifdef __has_feature
constexpr bool sanitized = __has_feature(address_sanitizer);
#elif defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
constexpr std::size_t lot_size = sanitized ? 1 : 64;
constexpr std::size_t lot_bytes = std::size_t{256} << 10;

/// The messages that a thread has released and not given back to cnats yet.
class Lot {
public:
    Lot() = default;
    Lot(const Lot&) = delete;
    Lot& operator=(const Lot&) = delete;
    ~Lot();

    void add(natsMsg* message) noexcept {
        messages_[count_++] = message;
        bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(message));
        if (count_ == messages_.size() || bytes_ >= lot_bytes) give_back();
    }

private:
    void give_back() noexcept {
        const auto count = std::exchange(count_, 0);
        bytes_ = 0;
        if (forked()) return;  // keeps them: cnats's lock may be held by a thread that the child does not have
        for (std::size_t i = 0; i < count; ++i) natsMsg_Destroy(messages_[i]);
    }

    std::array<natsMsg*, lot_size> messages_;  // not initialized: it is written before it is read
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;  // size of their payloads
};

// Plain values: their use checks no guard, and they live until the end of the thread.
constinit thread_local Lot* lot = nullptr;
constinit thread_local bool ended = false;

Lot::~Lot() {
    give_back();
    lot = nullptr;
    ended = true;
}

Lot& make_lot() {
    static thread_local Lot owned;
    lot = &owned;
    return owned;
}

}  // namespace

void destroy_native(__natsMsg* message) noexcept {
    if (ended) return natsMsg_Destroy(message);
    (lot != nullptr ? *lot : make_lot()).add(message);
}

}  // namespace freshet::detail
