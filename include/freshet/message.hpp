// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/metadata.hpp>

struct __natsMsg;  // cnats's message; <freshet/native.hpp> gives access to it

namespace freshet {

namespace detail {
void destroy_native(__natsMsg* message) noexcept;
class BodyScope;
}  // namespace detail

class Message;
template <class T>
T decode(const Message& message);
template <class T>
Expected<T> try_decode(const Message& message);

/// One received message. It owns cnats's message and shows views into it: nothing is copied, and every view is valid as
/// long as the Message lives and is not moved from. Move-only. Not thread-safe: reading a header parses the headers in
/// place, so hand a message to one thread at a time.
class Message {
public:
    Message() noexcept = default;
    Message(Message&& other) noexcept { swap(other); }
    Message& operator=(Message&& other) noexcept {
        Message{std::move(other)}.swap(*this);
        return *this;
    }
    ~Message() {
        if (native_ != nullptr) detail::destroy_native(native_);
    }

    /// Makes a message that did not come from a server, for tests and for transports of your own. Copies its arguments.
    /// Throws Error(Errc::bad_subject) for an empty subject, Error(Errc::payload_too_large) for a payload over 2 GiB.
    static Message make(std::string_view subject, Bytes payload = {}, const Headers& headers = {},
                        std::string_view reply_to = {});

    /// Takes ownership of a natsMsg (see native.hpp).
    explicit Message(__natsMsg* native) noexcept;

    /// Returns the subject on which the message was published.
    std::string_view subject() const noexcept { return subject_ != nullptr ? subject_ : std::string_view{}; }
    /// Returns the subject on which an answer is expected; empty for an event.
    std::string_view reply_to() const noexcept { return reply_ != nullptr ? reply_ : std::string_view{}; }
    /// Returns the body as bytes; a NUL follows them.
    Bytes payload() const noexcept { return payload_; }
    /// Returns the body as characters; a NUL follows them.
    std::string_view text() const noexcept { return as_text(payload_); }
    /// Returns the body as T, a type with a codec (<freshet/codec.hpp>). A view in the result is valid as long as the
    /// message. Throws Error, with Errc::bad_payload if the body does not fit T.
    template <class T>
    T decode() const {
        return freshet::decode<T>(*this);
    }
    /// Returns the body as T, or the Error that decode() throws.
    template <class T>
    Expected<T> try_decode() const {
        return freshet::try_decode<T>(*this);
    }

    /// Returns the first value of a header; names are case-sensitive (ADR-4). The first call parses the headers, which
    /// changes the native message; headers that do not parse count as none.
    std::optional<std::string_view> header(const char* name) const noexcept;
    std::optional<std::string_view> header(std::string_view name) const;
    /// Returns every value of a header, in the order in which they came.
    std::vector<std::string_view> header_values(std::string_view name) const;
    /// Returns a copy of all headers: the values of each name in the order in which they came, the names in no order.
    Headers headers() const;

    /// Returns the status that the server put into the header line (503: no responders; 100, 404, 408, 409 in
    /// JetStream), else 0. Parses the headers: where replies are many, call it only for those without a payload.
    int status() const;

    /// Returns what JetStream tells about the message (sequences, deliveries, time); nothing for a message that a
    /// stream did not deliver.
    std::optional<Metadata> metadata() const noexcept;

    /// Returns false for an empty Message: one made without arguments, moved from or released.
    explicit operator bool() const noexcept { return native_ != nullptr; }
    /// Returns cnats's message, which this Message still owns; null for an empty Message.
    __natsMsg* native() const noexcept { return native_; }
    /// Returns the natsMsg and gives up its ownership; the Message is empty afterwards.
    __natsMsg* release() noexcept;

private:
    friend class detail::BodyScope;

    void swap(Message& other) noexcept {
        std::swap(native_, other.native_);
        std::swap(subject_, other.subject_);
        std::swap(reply_, other.reply_);
        std::swap(payload_, other.payload_);
    }

    __natsMsg* native_ = nullptr;
    const char* subject_ = nullptr;
    const char* reply_ = nullptr;
    Bytes payload_ = {};  // a NUL follows
};

/// The questions about a message that everything that holds one answers by the same names as the Message itself:
/// Context, Item, js::Delivery, js::StoredMessage. Views are valid as long as the message.
template <class Holder>
class MessageQuestions {
public:
    /// Returns the subject of the message.
    std::string_view subject() const noexcept { return asked().subject(); }
    /// Returns the subject on which an answer is expected; empty for an event.
    std::string_view reply_to() const noexcept { return asked().reply_to(); }
    /// Returns the body as bytes.
    Bytes payload() const noexcept { return asked().payload(); }
    /// Returns the body as characters.
    std::string_view text() const noexcept { return asked().text(); }
    /// Returns the body as T. Throws Error, with Errc::bad_payload if the body does not fit T.
    template <class T>
    T decode() const {
        return freshet::decode<T>(asked());
    }
    /// Returns the body as T, or the Error that decode() throws.
    template <class T>
    Expected<T> try_decode() const {
        return freshet::try_decode<T>(asked());
    }
    /// Returns the first value of a header; names are case-sensitive.
    std::optional<std::string_view> header(std::string_view name) const { return asked().header(name); }
    /// Returns every value of a header, in the order in which they came.
    std::vector<std::string_view> header_values(std::string_view name) const { return asked().header_values(name); }
    /// Returns a copy of all headers.
    Headers headers() const { return asked().headers(); }
    /// Returns what JetStream tells about the message; nothing for a message that no stream has.
    std::optional<Metadata> metadata() const noexcept { return asked().metadata(); }

protected:
    MessageQuestions() = default;
    ~MessageQuestions() = default;
    MessageQuestions(const MessageQuestions&) = default;
    MessageQuestions(MessageQuestions&&) = default;
    MessageQuestions& operator=(const MessageQuestions&) = default;
    MessageQuestions& operator=(MessageQuestions&&) = default;

private:
    const Message& asked() const noexcept { return static_cast<const Holder&>(*this).message(); }
};

namespace detail {

inline Body body_of(const Message& message) noexcept { return {message.payload(), true}; }

}  // namespace detail

}  // namespace freshet
