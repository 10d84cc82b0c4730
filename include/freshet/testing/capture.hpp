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

/// A message as it was published or delivered: a copy.
struct CapturedMessage {
    std::string subject = {};
    std::string reply_to = {};
    std::string body = {};
    Headers headers = {};

    /// The body. Throws Error(Errc::bad_payload).
    template <class T>
    T as() const {
        T value{};
        value_or_raise(freshet::detail::decode_body(as_bytes(body), headers.get("content-type").value_or(""), value));
        return value;
    }
};

/// What a broker under test was given to handle, and what became of it.
struct Delivery {
    std::string subscriber = {};  ///< its subject as declared, `{names}` included
    CapturedMessage message = {};
    bool settled = false;  ///< false: the handler still runs
    Outcome outcome = Outcome::ack;
    std::optional<Error> failure = {};  ///< why it failed or was refused
    std::exception_ptr thrown = {};     ///< what the handler threw
};

/// What happened to one or more messages, in the order their handling began. Equal to an outcome if there is at least one
/// delivery and each ended so.
class Deliveries : public std::vector<Delivery> {
public:
    Deliveries() = default;
    Deliveries(std::vector<Delivery> deliveries, std::string note)
        : std::vector<Delivery>{std::move(deliveries)}, note_{std::move(note)} {}

    /// Throws what a handler threw, else the Error of a message that was refused, else returns.
    const Deliveries& rethrow() const;

    friend bool operator==(const Deliveries& deliveries, const Outcome& outcome) noexcept {
        for (const auto& delivery : deliveries)
            if (!delivery.settled || delivery.outcome != outcome) return false;
        return !deliveries.empty();
    }

    /// What a failed comparison should say besides.
    const std::string& note() const noexcept { return note_; }

private:
    std::string note_ = {};
};

/// What a broker under test has published on the subjects of a pattern.
class Publications : public std::vector<CapturedMessage> {
public:
    Publications() = default;
    Publications(std::vector<CapturedMessage> messages, std::string note)
        : std::vector<CapturedMessage>{std::move(messages)}, note_{std::move(note)} {}

    /// The one at `index`. Throws Error(Errc::not_found), which says what there is.
    const CapturedMessage& at(std::size_t index) const;
    const std::string& note() const noexcept { return note_; }

private:
    std::string note_ = {};
};

/// The same, decoded: behaves like a vector of T.
template <class T>
class Published {
public:
    explicit Published(Publications publications) : raw_{std::move(publications)} {
        values_.reserve(raw_.size());
        for (const auto& message : raw_) values_.push_back(message.template as<T>());
    }

    /// Throws Error(Errc::not_found), which says what there is.
    const T& at(std::size_t index) const {
        static_cast<void>(raw_.at(index));
        return values_[index];
    }
    const T& operator[](std::size_t index) const { return at(index); }
    const T& front() const { return at(0); }
    const T& back() const { return at(size() == 0 ? 0 : size() - 1); }
    const Headers& headers(std::size_t index) const { return raw_.at(index).headers; }
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

// For Catch2 and GoogleTest, which print what they compare.
std::ostream& operator<<(std::ostream& out, const CapturedMessage& message);
std::ostream& operator<<(std::ostream& out, const Delivery& delivery);
std::ostream& operator<<(std::ostream& out, const Deliveries& deliveries);
std::ostream& operator<<(std::ostream& out, const Publications& publications);
template <class T>
std::ostream& operator<<(std::ostream& out, const Published<T>& published) {
    return out << published.messages();
}
// GoogleTest would print these as the containers that they are, without the note.
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
