// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/codec.hpp>
#include <freshet/detail/buffer_lease.hpp>
#include <freshet/message.hpp>
#include <freshet/options.hpp>

namespace freshet::detail {

/// The half of a broker that sends and asks, compiled and without types (src/link/link.hpp). The functions below are
/// the part of it that templates need.
class Link;

/// An encoded body and its content type, which is empty for bytes and strings.
struct Encoded {
    Bytes body = {};
    std::string_view content_type = {};
};

Format default_format(const Link& link) noexcept;

/// What a publisher, a remote function or a bucket of the broker sends and gets back.
struct OutgoingShape {
    enum class Kind : std::uint8_t { publisher, client, key_value, object_store };
    Kind kind = Kind::publisher;
    const BodyShape* body = nullptr;
    const BodyShape* answer = nullptr;
};
template <class T>
inline constexpr OutgoingShape publisher_shape{.body = &body_shape<T, Direction::write>};

/// Notes, for descriptions, what was made of the broker: `subject` is the subject's template or the bucket's name. Of
/// what is made again and again with other subjects, some hundreds are noted. Thread-safe.
void declare_outgoing(Link& link, std::string_view subject, const OutgoingShape& shape, std::optional<Format> format,
                      About about = {});
/// Notes that what was declared as `before` is sent as `now`.
void redeclare_outgoing(Link& link, std::string_view subject, const OutgoingShape& before, const OutgoingShape& now);

/// What is counted of one publisher's or client's subject (src/link/publish_counts.hpp, request_counts.hpp).
class PublishCounts;
class RequestCounts;
/// Return the counts of a declared subject, or those of all subjects that are not declared.
PublishCounts& publish_counts(Link& link) noexcept;
PublishCounts& publish_counts(Link& link, std::string_view subject);
RequestCounts& request_counts(Link& link) noexcept;
RequestCounts& request_counts(Link& link, std::string_view subject);

Expected<void> publish(Link& link, PublishCounts& counts, std::string_view subject, const Encoded& encoded,
                       const PublishOptions& options);

/// Sends a request and blocks until the answer, the deadline, or the stop of the broker.
Expected<Message> request(Link& link, RequestCounts& counts, std::string_view subject, const Encoded& encoded,
                          const RequestOptions& options);

/// Receives the answer, exactly once, on one of the threads that Client::async names.
using ReplyHandler = std::move_only_function<void(Expected<Message>)>;
void request_async(Link& link, RequestCounts& counts, std::string_view subject, const Encoded& encoded,
                   const RequestOptions& options, ReplyHandler handler);

/// Calls `handler` with an error, for a request that is not sent.
void refuse_async(Link& link, std::string_view subject, ReplyHandler handler, const Error& why);

/// Moves a clock of tests on until `done()` and returns true; returns false at once where time passes by itself.
bool run_until(Link& link, const std::function<bool()>& done);

/// The answers to one request, as they come.
class ReplyQueue {
public:
    ReplyQueue() = default;
    ReplyQueue(const ReplyQueue&) = delete;
    ReplyQueue& operator=(const ReplyQueue&) = delete;
    virtual ~ReplyQueue() = default;
    /// Blocks until the next answer and returns it; returns nothing when there will be no more.
    virtual std::optional<Expected<Message>> next() = 0;
    /// Returns the subject of the request.
    virtual std::string_view subject() const noexcept = 0;
};
std::unique_ptr<ReplyQueue> request_many(Link& link, std::string_view subject, const Encoded& encoded,
                                         const RequestManyOptions& options);

/// Encodes `value`, calls `send(Encoded)` with it and returns the result. An exception of the encoder becomes an error
/// value.
template <class T, class Send>
auto with_encoded(Link& link, const T& value, std::optional<Format> format, Send&& send) -> decltype(send(Encoded{})) {
    static_assert(
        Encodable<T>,
        "freshet: the type sent has no codec: add FRESHET_JSON(Type, fields...) in its namespace, link freshet::glaze, "
        "or specialise freshet::Codec<T>. See docs/codecs.md");
    if constexpr (sent_raw<T>) {
        return send(Encoded{raw_body(value), {}});
    } else if constexpr (Encodable<T>) {
        const BufferLease buffer;
        std::string_view type;
        try {
            type = encode_body(value, format ? *format : default_format(link), *buffer);
        } catch (...) { return std::unexpected{decode_exception()}; }
        return send(Encoded{buffer->bytes(), type});
    } else {
        return send(Encoded{});
    }
}

template <class T>
Expected<void> publish_value(Link& link, PublishCounts& counts, std::string_view subject, const T& value,
                             const PublishOptions& options) {
    return with_encoded(link, value, options.format,
                        [&](const Encoded& encoded) { return publish(link, counts, subject, encoded, options); });
}

/// Returns `error` with the subject of the request whose answer could not be decoded.
Error bad_answer(std::string_view subject, const Error& error);

/// Decodes the answer to a request on `subject`. With `void` any answer will do; with Message the answer is returned as
/// it is.
template <class R>
Expected<R> decode_reply(std::string_view subject, Expected<Message> reply) {
    if constexpr (std::is_same_v<R, Message>) {
        return reply;
    } else if constexpr (std::is_void_v<R>) {
        if (!reply) return std::unexpected{std::move(reply).error()};
        return {};
    } else {
        static_assert(!RawView<R>, "freshet: a view of the answer's body would outlive it; ask for std::string, "
                                   "std::vector<std::byte> or Message. See docs/requests.md");
        static_assert(
            Decodable<R>,
            "freshet: the answer's type has no codec: add FRESHET_JSON(Type, fields...) in its namespace, link "
            "freshet::glaze, or specialise freshet::Codec<T>. See docs/codecs.md");
        if (!reply) return std::unexpected{std::move(reply).error()};
        R value{};
        auto decoded = decode_body(body_of(*reply), reply->header("content-type").value_or(""), value);
        if (!decoded) return std::unexpected{bad_answer(subject, decoded.error())};
        return value;
    }
}

}  // namespace freshet::detail
