// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <freshet/detail/chrono.hpp>
#include <freshet/js/message_batch.hpp>

namespace freshet::detail {
class FastSender;
class JsApi;
}  // namespace freshet::detail

namespace freshet::js {

/// Messages of a fast batch that the server never got, by their number in the batch; the first message is 1.
struct FastGap {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  ///< this one included
};

/// Options of JetStream::fast_batch.
struct FastBatchOptions {
    std::uint16_t flow = 100;  ///< messages for each acknowledgement; the server may ask for another number
    std::uint16_t ahead = 2;   ///< add() blocks while more acknowledgements than this have not come
    /// Set: the batch goes on when messages were lost on the way, and this is called, inside add() or commit().
    /// Default: a gap ends the batch with an error, and nothing behind it is stored.
    std::function<void(const FastGap& gap)> on_gap = {};
    std::chrono::milliseconds timeout{0};  ///< silence of the server that ends the batch; 0: ContextOptions::timeout
};

/// Publishes many messages into one stream with few acknowledgements (fast ingest, ADR-50): for imports. Server 2.14;
/// the stream needs allow_batched. Each message is stored when it comes; a batch that ends early has stored its
/// beginning. To store a message again is the program's choice: a fast batch has no ids. Move-only; used by one thread
/// at a time; must not outlive the broker.
///
/// add() blocks for the first message, until the server accepts the batch, and while too many messages are not
/// acknowledged. It throws Errc::batch_refused, Errc::no_stream, Errc::timeout, and so does commit(); after an error
/// stored() says what is certain. PublishAck::batched says how many messages the server got.
class FastBatch : public detail::MessageBatch<detail::FastSender> {
public:
    FastBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link, FastBatchOptions options);

    /// Returns up to which message the server has acknowledged the batch. Without on_gap all of them are stored.
    std::uint64_t stored() const;
};

}  // namespace freshet::js
