// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>
#include <freshet/js/stream_handle.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Where the chunks of an object go.
struct ChunkTarget {
    js::StreamHandle stream;
    std::string subject = {};
    std::string id = {};    ///< of the object: begins the ids of its chunks
    std::string what = {};  ///< the action and its object, for error messages
};

/// Publishes the chunks of an object without waiting for each acknowledgement; up to `bytes` bytes may be on their way.
/// It sends chunks again that get lost, or are refused for the moment, as while a cluster elects a leader; each is
/// stored once and in order all the same. Used by one thread at a time.
class ChunkWindow {
public:
    ChunkWindow(Link& link, ChunkTarget target, std::size_t bytes, std::chrono::milliseconds timeout);
    ChunkWindow(const ChunkWindow&) = delete;
    ChunkWindow& operator=(const ChunkWindow&) = delete;
    /// Blocks until nothing is on its way.
    ~ChunkWindow();

    /// Copies the chunk and sends it. Blocks while the window is full. Returns the first error of earlier chunks that
    /// does not pass.
    Expected<void> publish(Bytes chunk);
    /// Blocks until all chunks are acknowledged. Returns the first error.
    Expected<void> finish();

private:
    class State;

    /// Sends again what was not stored, one after the other.
    Expected<void> recover();
    struct Chunk {
        std::uint64_t number = 0;
        std::string bytes = {};
        std::optional<Expected<std::uint64_t>> stored = {};  // its sequence; nothing: no answer yet
    };

    /// Stores a chunk behind `last`; its sequence. `before`: where it is in front of that one; 0: nowhere.
    Expected<std::uint64_t> store_behind(std::uint64_t last, const Chunk& chunk, std::uint64_t before);
    std::string message_id(std::uint64_t number) const { return target_.id + "." + std::to_string(number); }

    Link& link_;
    ChunkTarget target_;
    std::chrono::milliseconds timeout_;
    std::size_t window_;
    std::shared_ptr<State> state_;
    std::uint64_t sent_ = 0;
};

/// Returns the sequence in the acknowledgement of a publication into a bucket.
Expected<std::uint64_t> read_store_ack(std::string_view what, const Message& answer);

}  // namespace freshet::detail
