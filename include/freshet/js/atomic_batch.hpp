// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/js/message_batch.hpp>

namespace freshet::detail {
class BatchSender;
class JsApi;
class StreamConfirmer;
}  // namespace freshet::detail

namespace freshet::js {

/// Collects messages that a stream stores together or not at all (ADR-50): add them, then commit. Server 2.12; the
/// stream needs allow_atomic. The server accepts up to 1,000 messages in one batch, and drops a batch that gets no
/// message for 10 s.
///
/// The server checks expectations at the commit, against the messages stored before the batch. expect_last_sequence is
/// for the first message only. A batch that is destroyed without commit stores nothing. Move-only; used by one thread
/// at a time; must not outlive the broker.
///
/// add() blocks for the second message only, until the server accepts the batch. It throws Errc::batch_refused and
/// Errc::no_stream; then the batch is lost. commit() throws the errors of JetStream::publish for an expectation that is
/// not met, and Errc::batch_refused if the batch was incomplete, too large or took too long. After it you may add the
/// messages of another batch.
class AtomicBatch : public detail::MessageBatch<detail::BatchSender> {
public:
    AtomicBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link);

private:
    friend class detail::StreamConfirmer;
};

}  // namespace freshet::js
