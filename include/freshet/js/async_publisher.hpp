// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

namespace freshet::detail {
class JsApi;
class PublishWindow;
}  // namespace freshet::detail

namespace freshet::js {

/// How an AsyncPublisher sends.
struct AsyncPublisherOptions {
    /// Messages that wait for their acknowledgement. Once there are so many, publish blocks until an eighth of them has left.
    std::size_t max_pending = 4'096;
};

/// Publishes into streams without waiting for each acknowledgement: many are under way, up to a limit, and none is lost
/// silently. What becomes of a message is told to the future or function given with it; the failures of the others come out of flush().
///
/// A message that no stream answered is sent again (PublishOptions::retries), and so is one with an id whose acknowledgement did not
/// come in time or was refused for the moment: it is stored once all the same. So a message that was sent again may be stored behind later
/// ones; where order matters, say what is expected (expect_last_sequence).
///
/// Thread-safe; cheap to copy, the copies share one window. Must not outlive its broker; when that stops, what is under way fails with
/// Errc::closed. Failures that nobody asked for are logged when the last copy goes.
class AsyncPublisher {
public:
    using Done = std::move_only_function<void(Expected<PublishAck>)>;

    AsyncPublisher(std::shared_ptr<const detail::JsApi> api, detail::Link& link, const AsyncPublisherOptions& options);

    /// Sends a message and returns. Blocks while max_pending wait, unless called inside a callback of this publisher. Throws Error for
    /// what is wrong before it is sent: Errc::bad_subject, Condition::bad_payload, Errc::bad_setup (options that contradict each
    /// other), Errc::server_too_old. What happens then comes out of flush.
    template <class T>
    void publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_publish(subject, value, options));
    }
    template <class T>
    Expected<void> try_publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return start(subject, value, options, {});
    }

    /// The same, and calls `done(Expected<PublishAck>)` once, on a thread of the broker's that it must not block. Also for what
    /// is wrong before it is sent.
    template <class T, class F>
        requires std::is_invocable_v<F&, Expected<PublishAck>>
    void publish(std::string_view subject, const T& value, const PublishOptions& options, F done) {
        auto shared = std::make_shared<F>(std::move(done));
        auto started =
            start(subject, value, options, [shared](Expected<PublishAck> ack) { (*shared)(std::move(ack)); });
        if (!started) (*shared)(std::unexpected{std::move(started).error()});
    }

    /// The same; the future gives the acknowledgement, or throws Error.
    template <class T>
    std::future<PublishAck> publish_future(std::string_view subject, const T& value,
                                           const PublishOptions& options = {}) {
        std::promise<PublishAck> promise;
        auto future = promise.get_future();
        publish(subject, value, options, [promise = std::move(promise)](Expected<PublishAck> ack) mutable {
            try {
                promise.set_value(value_or_raise(std::move(ack)));
            } catch (...) { promise.set_exception(std::current_exception()); }
        });
        return future;
    }

    /// Waits until nothing is under way: everything published was acknowledged or has failed. Throws Error: Errc::timeout when messages are still
    /// under way after `timeout`; else the first failure since the last flush that had no function and no future, and how many there were.
    /// Not inside a callback of this publisher.
    void flush(std::chrono::milliseconds timeout) { value_or_raise(try_flush(timeout)); }
    Expected<void> try_flush(std::chrono::milliseconds timeout);

    /// Messages under way.
    std::size_t pending() const;

private:
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
