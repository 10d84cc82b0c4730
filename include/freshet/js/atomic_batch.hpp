// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

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
class AtomicBatch {
public:
    AtomicBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link);
    AtomicBatch(AtomicBatch&&) noexcept;
    AtomicBatch& operator=(AtomicBatch&&) noexcept;
    ~AtomicBatch();

    /// Adds a message. The call for the second message blocks until the server accepts the batch; the others do not
    /// block. Throws Errc::batch_refused, Errc::no_stream; after an error the batch is lost.
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

    /// Asks the server to store the messages and blocks until it has. Throws the errors of JetStream::publish for an
    /// expectation that is not met, Errc::batch_refused if the batch was incomplete, too large or took too long,
    /// Errc::bad_setup if it is empty.
    PublishAck commit() { return value_or_raise(try_commit()); }
    Expected<PublishAck> try_commit();

    /// Returns how many messages were added.
    std::size_t size() const noexcept;

private:
    friend class detail::StreamConfirmer;

    Expected<void> add_encoded(std::string_view subject, const detail::Encoded& encoded, const PublishOptions& options);

    detail::Link* link_;
    std::unique_ptr<detail::BatchSender> sender_;
};

}  // namespace freshet::js
