// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/detail/future.hpp>
#include <freshet/future.hpp>
#include <freshet/js/publish_options.hpp>

namespace freshet::detail {
class JsApi;
class PublishWindow;
class StreamConfirmer;
}  // namespace freshet::detail

namespace freshet::js {

/// Options of an AsyncPublisher.
struct AsyncPublisherOptions {
    /// The most messages that may wait for their acknowledgement. When so many wait, publish blocks until an eighth of
    /// them is acknowledged or has failed.
    std::size_t max_pending = 4'096;
};

/// Publishes into streams without waiting for each acknowledgement. Up to AsyncPublisherOptions::max_pending messages
/// are under way at a time: sent, and neither acknowledged nor failed. No failure is lost: it goes to the function or
/// future that you give with the message, else to flush(), else it is logged when the last copy of the publisher is
/// destroyed.
///
/// The publisher sends a message again when no stream answered (PublishOptions::retries). It also sends a message with
/// an id again when the acknowledgement did not come in time or the server refused the message for the moment; the
/// stream stores it once. A message that was sent again may be stored behind later ones. Where order matters, use
/// expect_last_sequence.
///
/// Thread-safe. Cheap to copy; the copies share the messages under way. Must not outlive its broker. When the broker
/// stops, messages under way fail with Errc::closed.
class AsyncPublisher {
public:
    using Done = std::move_only_function<void(Expected<PublishAck>)>;

    AsyncPublisher(std::shared_ptr<const detail::JsApi> api, detail::Link& link, const AsyncPublisherOptions& options);

    /// Sends a message and returns without waiting for its acknowledgement; flush() throws its failure. Blocks while
    /// max_pending messages are under way, unless called inside a callback of this publisher. Throws Error for mistakes
    /// found before the message is sent: Errc::bad_subject, Condition::bad_payload, Errc::bad_setup (options that
    /// contradict each other), Errc::server_too_old.
    template <class T>
    void publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_publish(subject, value, options));
    }
    template <class T>
    Expected<void> try_publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return start(subject, value, options, {});
    }

    /// Sends a message and calls `done(Expected<PublishAck>)` once, with the acknowledgement or the failure. Blocks
    /// while max_pending messages are under way. `done` runs on a thread of the broker, which it must not block, or on
    /// the calling thread for a mistake found before the message is sent.
    template <class T, class F>
        requires std::is_invocable_v<F&, Expected<PublishAck>>
    void publish(std::string_view subject, const T& value, const PublishOptions& options, F done) {
        auto shared = std::make_shared<F>(std::move(done));
        auto started =
            start(subject, value, options, [shared](Expected<PublishAck> ack) { (*shared)(std::move(ack)); });
        if (!started) (*shared)(std::unexpected{std::move(started).error()});
    }

    /// Sends a message and returns a Future that gives the acknowledgement or throws Error. Blocks while max_pending
    /// messages are under way.
    template <class T>
    Future<PublishAck> publish_future(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return detail::as_future<PublishAck>(*link_,
                                             [&](auto done) { publish(subject, value, options, std::move(done)); });
    }

    /// Blocks until each message was acknowledged or has failed. Throws Errc::timeout when messages are still under way
    /// after `timeout`; else the first failure since the last flush of a message without function and future, and how
    /// many there were. Do not call it inside a callback of this publisher.
    void flush(std::chrono::milliseconds timeout) { value_or_raise(try_flush(timeout)); }
    Expected<void> try_flush(std::chrono::milliseconds timeout);

    /// Returns how many messages are under way.
    std::size_t pending() const;

private:
    friend class detail::StreamConfirmer;

    template <class T>
    Expected<void> start(std::string_view subject, const T& value, const PublishOptions& options, Done done) {
        return detail::with_encoded(*link_, value, options.format, [&](const detail::Encoded& encoded) {
            return start_encoded(subject, encoded, options, std::move(done));
        });
    }
    Expected<void> start_encoded(std::string_view subject, const detail::Encoded& encoded,
                                 const PublishOptions& options, Done done);

    std::shared_ptr<const detail::JsApi> api_;
    detail::Link* link_;
    std::shared_ptr<detail::PublishWindow> window_;
};

}  // namespace freshet::js
