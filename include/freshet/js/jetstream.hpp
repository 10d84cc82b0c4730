// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/js/async_publisher.hpp>
#include <freshet/js/atomic_batch.hpp>
#include <freshet/js/consumer.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/counter_value.hpp>
#include <freshet/js/publish_options.hpp>
#include <freshet/js/stream.hpp>
#include <freshet/js/stream_handle.hpp>

namespace freshet::detail {
class JsApi;
}

namespace freshet::js {

/// JetStream as broker.jetstream() gives it: streams, and publishing into them.
///
/// Cheap to copy; every function may be called from any thread, also inside handlers. It refers to its broker, which must outlive it
/// and must have been started when a function is called (else Errc::closed). Functions block for ContextOptions::timeout at
/// most for each request, unless they say otherwise; they throw Error, and their try_ twins give it as a value.
class JetStream {
public:
    /// Throws Error(Errc::bad_setup) for a domain or a prefix that cannot be part of a subject.
    explicit JetStream(detail::Link& link, const ContextOptions& options = {});

    /// Makes sure that the stream is there, as Stream::declare says. Throws Error: Errc::stream_not_found with Declare::never,
    /// Errc::settings_differ with Declare::verify, Errc::server_too_old for a setting the server does not know, Errc::remote (the
    /// server's words) for settings it refuses.
    StreamInfo declare(const Stream& stream) const { return value_or_raise(try_declare(stream)); }
    Expected<StreamInfo> try_declare(const Stream& stream) const;

    /// The settings of an existing stream that are not as in `stream`; changes nothing.
    std::vector<Difference> differences(const Stream& stream) const { return value_or_raise(try_differences(stream)); }
    Expected<std::vector<Difference>> try_differences(const Stream& stream) const;

    /// A stream by its name.
    StreamHandle stream(std::string name) const { return {api_, std::move(name)}; }
    /// The name of the stream that stores a subject. Errc::stream_not_found if none does.
    std::string stream_of(std::string_view subject) const { return value_or_raise(try_stream_of(subject)); }
    Expected<std::string> try_stream_of(std::string_view subject) const;

    /// All streams, or those that store `subject`; wildcards allowed.
    std::vector<StreamInfo> streams(std::string_view subject = {}) const {
        return value_or_raise(try_streams(subject));
    }
    Expected<std::vector<StreamInfo>> try_streams(std::string_view subject = {}) const;
    std::vector<std::string> stream_names(std::string_view subject = {}) const {
        return value_or_raise(try_stream_names(subject));
    }
    Expected<std::vector<std::string>> try_stream_names(std::string_view subject = {}) const;

    /// A consumer by its name: to look at it, to manage it, to take messages from it.
    Consumer consumer(std::string stream, std::string name) const { return {api_, std::move(stream), std::move(name)}; }
    /// All consumers of a stream.
    std::vector<ConsumerInfo> consumers(const std::string& stream) const {
        return value_or_raise(try_consumers(stream));
    }
    Expected<std::vector<ConsumerInfo>> try_consumers(const std::string& stream) const;

    /// Publishes and waits until the message is stored. Throws Error: Errc::no_stream when no stream stores the subject, Errc::wrong_stream,
    /// Errc::wrong_last_sequence and Errc::wrong_last_id for expectations that are not met, Errc::limit_reached when the stream is full,
    /// Errc::timeout (it may be stored or not), and what Broker::publish throws. A duplicate is no error: PublishAck::duplicate.
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
    /// For many messages: does not wait for each.
    AsyncPublisher async_publisher(const AsyncPublisherOptions& options = {}) const { return {api_, *link_, options}; }
    /// For messages that are stored all or none.
    AtomicBatch atomic_batch() const { return {api_, *link_}; }

    /// Adds to a counter (ADR-49) and gives what it stands at then. Server 2.12; the stream needs allow_msg_counter. After
    /// Errc::timeout it may be counted or not; counters do not know ids.
    CounterValue increment(std::string_view subject, std::int64_t by = 1, const PublishOptions& options = {}) const {
        return value_or_raise(try_increment(subject, by, options));
    }
    Expected<CounterValue> try_increment(std::string_view subject, std::int64_t by = 1,
                                         const PublishOptions& options = {}) const;

    const ContextOptions& options() const noexcept;
    const std::shared_ptr<const detail::JsApi>& api() const noexcept { return api_; }

private:
    Expected<PublishAck> publish_encoded(std::string_view subject, const detail::Encoded& encoded,
                                         const PublishOptions& options) const;

    detail::Link* link_;
    std::shared_ptr<const detail::JsApi> api_;
};

}  // namespace freshet::js
