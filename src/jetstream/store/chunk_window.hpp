// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Publishes the chunks of an object without waiting for each acknowledgement; up to `bytes` bytes may be on their way.
/// It sends nothing again: an object with a lost chunk fails. Used by one thread at a time.
class ChunkWindow {
public:
    /// `what` names the action and its object in error messages.
    ChunkWindow(Link& link, std::size_t bytes, std::chrono::milliseconds timeout, std::string what);
    ChunkWindow(const ChunkWindow&) = delete;
    ChunkWindow& operator=(const ChunkWindow&) = delete;
    /// Blocks until nothing is on its way.
    ~ChunkWindow();

    /// Copies the chunk and sends it. Blocks while the window is full. Returns the first error of earlier chunks.
    Expected<void> publish(std::string_view subject, Bytes chunk);
    /// Blocks until all chunks are acknowledged. Returns the first error.
    Expected<void> finish();

private:
    class State;

    Link& link_;
    std::chrono::milliseconds timeout_;
    std::size_t window_;
    std::shared_ptr<State> state_;
};

/// Returns the sequence in the acknowledgement of a publication into a bucket.
Expected<std::uint64_t> read_store_ack(std::string_view what, const Message& answer);

}  // namespace freshet::detail
