// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

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
class FastBatch {
public:
    FastBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link, FastBatchOptions options);
    FastBatch(FastBatch&&) noexcept;
    FastBatch& operator=(FastBatch&&) noexcept;
    ~FastBatch();

    /// Publishes a message. Blocks for the first message, until the server accepts the batch, and while too many
    /// messages are not acknowledged. Throws Errc::batch_refused, Errc::no_stream, Errc::timeout; after an error the
    /// batch is over, and stored() says what is certain.
    template <class T>
    void add(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_add(subject, value, options));
    }
    template <class T>
    Expected<void> try_add(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return detail::with_encoded(*link_, value, options.format, [&](const detail::Encoded& encoded) {
            return add_encoded(subject, encoded, options);
        });
    }

    /// Ends the batch and blocks until everything is stored. PublishAck::batched says how many messages the server got.
    /// Throws as add(), and Errc::bad_setup if nothing was added.
    PublishAck commit() { return value_or_raise(try_commit()); }
    Expected<PublishAck> try_commit();

    /// Returns how many messages were added.
    std::uint64_t size() const noexcept;
    /// Returns up to which message the server has acknowledged the batch. Without on_gap all of them are stored.
    std::uint64_t stored() const;

private:
    Expected<void> add_encoded(std::string_view subject, const detail::Encoded& encoded, const PublishOptions& options);

    detail::Link* link_;
    std::unique_ptr<detail::FastSender> sender_;
};

}  // namespace freshet::js
