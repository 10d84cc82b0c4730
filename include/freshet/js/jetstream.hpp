// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/js/account_info.hpp>
#include <freshet/js/async_publisher.hpp>
#include <freshet/js/atomic_batch.hpp>
#include <freshet/js/consumer.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/counter_value.hpp>
#include <freshet/js/fast_batch.hpp>
#include <freshet/js/ordered.hpp>
#include <freshet/js/ordered_messages.hpp>
#include <freshet/js/publish_options.hpp>
#include <freshet/js/stream.hpp>
#include <freshet/js/stream_handle.hpp>

namespace freshet::detail {
class JsApi;
}

namespace freshet::js {

/// Manages streams and publishes into them: `broker.jetstream()`.
///
/// Cheap to copy. Every function may be called from any thread, also inside handlers. The broker must outlive this
/// object and must have been started when a function is called, else Errc::closed. Functions block until the server
/// answers, for ContextOptions::timeout at most per request, unless they say otherwise. They throw Error; their try_
/// twins return the error as a value.
class JetStream {
public:
    /// Throws Error(Errc::bad_setup) for a domain or a prefix that cannot be part of a subject.
    explicit JetStream(detail::Link& link, const ContextOptions& options = {});

    /// Makes sure that the stream exists, as Stream::declare says, and returns it. Throws Errc::stream_not_found with
    /// Declare::never, Errc::settings_differ with Declare::verify, Errc::server_too_old for a setting that the server
    /// does not know, Errc::remote (with the server's words) for settings that the server refuses.
    StreamInfo declare(const Stream& stream) const { return value_or_raise(try_declare(stream)); }
    Expected<StreamInfo> try_declare(const Stream& stream) const;

    /// Returns the settings of the existing stream that differ from `stream`. Changes nothing.
    std::vector<Difference> differences(const Stream& stream) const { return value_or_raise(try_differences(stream)); }
    Expected<std::vector<Difference>> try_differences(const Stream& stream) const;

    /// Returns a handle of the stream with this name. Asks nothing of the server.
    StreamHandle stream(std::string name) const { return {api_, std::move(name)}; }
    /// Returns the name of the stream that stores a subject. Throws Errc::stream_not_found if none does.
    std::string stream_of(std::string_view subject) const { return value_or_raise(try_stream_of(subject)); }
    Expected<std::string> try_stream_of(std::string_view subject) const;

    /// Returns all streams, or those that store `subject`, wildcards allowed.
    std::vector<StreamInfo> streams(std::string_view subject = {}) const {
        return value_or_raise(try_streams(subject));
    }
    Expected<std::vector<StreamInfo>> try_streams(std::string_view subject = {}) const;
    /// Returns the names of all streams, or of those that store `subject`, wildcards allowed.
    std::vector<std::string> stream_names(std::string_view subject = {}) const {
        return value_or_raise(try_stream_names(subject));
    }
    Expected<std::vector<std::string>> try_stream_names(std::string_view subject = {}) const;

    /// Returns a handle of the consumer with this name, to manage it or to take messages from it. Asks nothing of the
    /// server.
    Consumer consumer(std::string stream, std::string name) const { return {api_, std::move(stream), std::move(name)}; }
    /// Returns all consumers of a stream.
    std::vector<ConsumerInfo> consumers(const std::string& stream) const {
        return value_or_raise(try_consumers(stream));
    }
    Expected<std::vector<ConsumerInfo>> try_consumers(const std::string& stream) const;

    /// Reads a stream in its order, without acknowledgements, in a program without handlers; see js::Ordered. Uses this
    /// object's ContextOptions instead of `options.context`. Throws Errc::stream_not_found, and Errc::bad_setup for
    /// options that do not fit together.
    OrderedMessages ordered(const Ordered& options) const { return value_or_raise(try_ordered(options)); }
    Expected<OrderedMessages> try_ordered(const Ordered& options) const;

    /// Publishes a message and blocks until the server has stored it. Throws Errc::no_stream when no stream stores the
    /// subject; Errc::wrong_stream, Errc::wrong_last_sequence and Errc::wrong_last_id for expectations that are not
    /// met; Errc::limit_reached when the stream is full; Errc::timeout, after which the message may be stored or not;
    /// and the errors of Broker::publish. A duplicate is not an error, see PublishAck::duplicate.
    template <class T>
    PublishAck publish(std::string_view subject, const T& value, const PublishOptions& options = {}) const {
        return value_or_raise(try_publish(subject, value, options));
    }
    template <class T>
    Expected<PublishAck> try_publish(std::string_view subject, const T& value,
                                     const PublishOptions& options = {}) const {
        return detail::with_encoded(*link_, value, options.format, [&](const detail::Encoded& encoded) {
            return publish_encoded(subject, encoded, options);
        });
    }
    /// Returns a publisher for many messages, which does not wait for each acknowledgement.
    AsyncPublisher async_publisher(const AsyncPublisherOptions& options = {}) const { return {api_, *link_, options}; }
    /// Returns an empty batch, for messages that are stored together or not at all.
    AtomicBatch atomic_batch() const { return {api_, *link_}; }

    /// Returns a batch for an import: many messages with few acknowledgements, each stored when it comes. Server 2.14.
    FastBatch fast_batch(FastBatchOptions options = {}) const { return {api_, *link_, std::move(options)}; }

    /// Adds `by` to a counter and returns its new value (ADR-49). Server 2.12; the stream needs allow_msg_counter.
    /// After Errc::timeout the increment may be counted or not: PublishOptions::id does not protect counters.
    CounterValue increment(std::string_view subject, std::int64_t by = 1, const PublishOptions& options = {}) const {
        return value_or_raise(try_increment(subject, by, options));
    }
    Expected<CounterValue> try_increment(std::string_view subject, std::int64_t by = 1,
                                         const PublishOptions& options = {}) const;

    /// Returns what the account has and may have. Blocks.
    AccountInfo account() const { return value_or_raise(try_account()); }
    Expected<AccountInfo> try_account() const;

    /// Returns the options that this object was made with.
    const ContextOptions& options() const noexcept;
    const std::shared_ptr<const detail::JsApi>& api() const noexcept { return api_; }

private:
    Expected<PublishAck> publish_encoded(std::string_view subject, const detail::Encoded& encoded,
                                         const PublishOptions& options) const;

    detail::Link* link_;
    std::shared_ptr<const detail::JsApi> api_;
};

}  // namespace freshet::js
