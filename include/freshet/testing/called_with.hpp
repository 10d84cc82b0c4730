// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include <freshet/buffer.hpp>
#include <freshet/codec.hpp>
#include <freshet/headers.hpp>
#include <freshet/testing/capture.hpp>

namespace freshet::testing {

/// What called_with expects beside the body.
struct CallDetails {
    Headers headers = {};                          ///< headers that the message must have, among others
    std::map<std::string, std::string> path = {};  ///< tokens of the subject, by the name of their `{parameter}`
};

/// What a test expects that a handler was called with. Compare it with deliveries:
/// `CHECK(test.deliveries("orders.{region}") == called_with(Order{"a1", 10}, {.path = {{"region", "eu"}}}))`.
///
/// Equal if a message that was not rejected before the handler ran has this body, these headers and these tokens.
/// Printed after a comparison, it names each field in which the message that comes closest differs. Used by one thread
/// at a time.
class CalledWith {
public:
    /// A body as it is compared: JSON, or text as it is.
    struct Body {
        std::string text = {};
        bool json = false;
    };
    using Read = std::function<Expected<Body>(const CapturedMessage& message)>;

    /// Made by called_with. `read` reads the body of a message as the type of `body`.
    CalledWith(Body body, Read read, CallDetails details)
        : body_{std::move(body)}, read_{std::move(read)}, details_{std::move(details)} {}

    friend bool operator==(const Deliveries& deliveries, const CalledWith& expected) {
        return expected.among(deliveries);
    }
    friend std::ostream& operator<<(std::ostream& out, const CalledWith& expected) { return expected.print(out); }

private:
    bool among(const Deliveries& deliveries) const;
    std::ostream& print(std::ostream& out) const;

    Body body_;
    Read read_;
    CallDetails details_;
    mutable std::string difference_ = {};  // of the last comparison, for print()
};

}  // namespace freshet::testing

namespace freshet::detail {

template <class T>
testing::CalledWith::Body comparable_body(const T& value) {
    Buffer out;
    const auto type = encode_body(value, Format::json, out);
    return {.text = std::string{out.text()}, .json = !type.empty() && format_of(type) == Format::json};
}

template <class T>
Expected<testing::CalledWith::Body> read_comparable(const testing::CapturedMessage& message) {
    if constexpr (RawSource<T>) {
        return testing::CalledWith::Body{.text = message.body};
    } else {
        try {
            return comparable_body(message.as<T>());
        } catch (const Error& error) { return std::unexpected{error}; }
    }
}

}  // namespace freshet::detail

namespace freshet::testing {

/// Returns what `==` compares deliveries with. Both bodies are compared as the JSON of a T, so that formats, and
/// members that T does not have, make no difference; text and bytes are compared as they are.
template <class T>
CalledWith called_with(const T& body, CallDetails details = {}) {
    using Value = std::decay_t<const T>;  // of an array of characters a pointer to constant ones
    return {freshet::detail::comparable_body<Value>(body), &freshet::detail::read_comparable<Value>,
            std::move(details)};
}

}  // namespace freshet::testing
