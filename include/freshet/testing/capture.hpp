// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <exception>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/codec.hpp>
#include <freshet/headers.hpp>
#include <freshet/outcome.hpp>

namespace freshet::testing {

/// A copy of a message that was published or delivered.
struct CapturedMessage {
    std::string subject = {};
    std::string reply_to = {};
    std::string body = {};
    Headers headers = {};

    /// Returns the body as T. Throws Errc::bad_payload if it does not decode.
    template <class T>
    T as() const {
        T value{};
        const auto type = headers.get("content-type").value_or("");
        if constexpr (freshet::detail::HeaderBody<T>)
            value_or_raise(freshet::detail::decode_named(as_bytes(body), type, subject,
                                                         headers.get(freshet::detail::body_key<T>.name), value));
        else value_or_raise(freshet::detail::decode_body(as_bytes(body), type, value));
        return value;
    }
};

/// A message that a subscriber of the broker under test got, and what became of it.
struct Delivery {
    std::string subscriber = {};  ///< declared subject of the subscriber, with its `{names}`
    CapturedMessage message = {};
    bool settled = false;  ///< false: the handler still runs
    Outcome outcome = Outcome::ack;
    std::optional<Error> failure = {};  ///< why the message failed or was refused
    std::exception_ptr thrown = {};     ///< the exception of the handler; null: none
    bool rejected = false;  ///< true: refused before the handler ran, for example because it does not decode
};

/// The deliveries of one or more messages, in the order in which their handling began. Equal to an outcome if there is
/// at least one delivery and each ended with that outcome.
class Deliveries : public std::vector<Delivery> {
public:
    Deliveries() = default;
    Deliveries(std::vector<Delivery> deliveries, std::string note)
        : std::vector<Delivery>{std::move(deliveries)}, note_{std::move(note)} {}

    /// Throws the first exception of a handler, else the Error of a message that was refused; else returns itself.
    const Deliveries& rethrow() const;

    friend bool operator==(const Deliveries& deliveries, const Outcome& outcome) noexcept {
        for (const auto& delivery : deliveries)
            if (!delivery.settled || delivery.outcome != outcome) return false;
        return !deliveries.empty();
    }

    /// Returns the text that a failed comparison prints below the deliveries.
    const std::string& note() const noexcept { return note_; }

private:
    std::string note_ = {};
};

/// The messages that the broker under test has published on the subjects of a pattern.
class Publications : public std::vector<CapturedMessage> {
public:
    Publications() = default;
    Publications(std::vector<CapturedMessage> messages, std::string note)
        : std::vector<CapturedMessage>{std::move(messages)}, note_{std::move(note)} {}

    /// Returns the message at `index`. Throws Errc::not_found, with a list of the messages, if there is none.
    const CapturedMessage& at(std::size_t index) const;
    /// Returns the text that a failed comparison prints below the messages.
    const std::string& note() const noexcept { return note_; }

private:
    std::string note_ = {};
};

/// The decoded bodies that the broker under test has published on the subjects of a pattern. Behaves like a vector of
/// T.
template <class T>
class Published {
public:
    explicit Published(Publications publications) : raw_{std::move(publications)} {
        values_.reserve(raw_.size());
        for (const auto& message : raw_) values_.push_back(message.template as<T>());
    }

    /// Returns the body at `index`. Throws Errc::not_found, with a list of the messages, if there is none.
    const T& at(std::size_t index) const {
        static_cast<void>(raw_.at(index));
        return values_[index];
    }
    const T& operator[](std::size_t index) const { return at(index); }
    const T& front() const { return at(0); }
    const T& back() const { return at(size() == 0 ? 0 : size() - 1); }
    /// Returns the headers of the message at `index`.
    const Headers& headers(std::size_t index) const { return raw_.at(index).headers; }
    /// Returns the subject of the message at `index`.
    const std::string& subject(std::size_t index) const { return raw_.at(index).subject; }

    std::size_t size() const noexcept { return values_.size(); }
    bool empty() const noexcept { return values_.empty(); }
    auto begin() const noexcept { return values_.begin(); }
    auto end() const noexcept { return values_.end(); }
    const std::vector<T>& values() const noexcept { return values_; }
    const Publications& messages() const noexcept { return raw_; }

private:
    Publications raw_;
    std::vector<T> values_ = {};
};

// Let Catch2 and GoogleTest print what they compare.
std::ostream& operator<<(std::ostream& out, const CapturedMessage& message);
std::ostream& operator<<(std::ostream& out, const Delivery& delivery);
std::ostream& operator<<(std::ostream& out, const Deliveries& deliveries);
std::ostream& operator<<(std::ostream& out, const Publications& publications);
template <class T>
std::ostream& operator<<(std::ostream& out, const Published<T>& published) {
    return out << published.messages();
}
// Let GoogleTest print the note too: it would print these classes as containers.
void PrintTo(const Deliveries& deliveries, std::ostream* out);
void PrintTo(const Publications& publications, std::ostream* out);

}  // namespace freshet::testing

namespace freshet {

std::ostream& operator<<(std::ostream& out, const Outcome& outcome);
std::ostream& operator<<(std::ostream& out, const Headers& headers);
std::ostream& operator<<(std::ostream& out, const Error& error);
std::ostream& operator<<(std::ostream& out, Errc code);
std::ostream& operator<<(std::ostream& out, Condition condition);

}  // namespace freshet
