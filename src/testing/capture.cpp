// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/capture.hpp>

#include <ostream>

#include <fmt/format.h>

#include "base/escaped.hpp"
#include "base/quoted.hpp"
#include "testing/shown_body.hpp"

namespace freshet {

std::string detail::shown_body(std::string_view body) {
    constexpr std::size_t longest = 200;
    auto [text, taken] = escaped(body, longest);
    if (taken < body.size()) text += fmt::format("... ({} bytes)", body.size());
    return text;
}

namespace testing {
namespace {

template <class List>
std::ostream& print_list(std::ostream& out, const List& list, std::string_view none) {
    if (list.empty()) out << none;
    for (const auto& one : list) out << "\n    " << one;
    if (!list.note().empty()) out << "\n    " << list.note();
    return out;
}

}  // namespace

const Deliveries& Deliveries::rethrow() const {
    for (const auto& delivery : *this)
        if (delivery.thrown) std::rethrow_exception(delivery.thrown);
    for (const auto& delivery : *this)
        if (delivery.failure) raise(*delivery.failure);
    return *this;
}

const CapturedMessage& Publications::at(std::size_t index) const {
    if (index < size()) return (*this)[index];
    raise({Errc::not_found, fmt::format("publication {} was asked for, but there are {}{}{}", index, size(),
                                        note_.empty() ? "" : "; ", note_)});
}

std::ostream& operator<<(std::ostream& out, const CapturedMessage& message) {
    out << message.subject << ' ' << detail::shown_body(message.body);
    if (!message.headers.empty()) out << ' ' << message.headers;
    return out;
}

std::ostream& operator<<(std::ostream& out, const Delivery& delivery) {
    out << detail::quoted(delivery.subscriber) << " got " << delivery.message << ": ";
    if (!delivery.settled) return out << "still being handled";
    out << delivery.outcome;
    if (delivery.failure) out << ": " << delivery.failure->message();
    return out;
}

std::ostream& operator<<(std::ostream& out, const Deliveries& deliveries) {
    return print_list(out, deliveries, "no subscriber got it");
}

std::ostream& operator<<(std::ostream& out, const Publications& publications) {
    return print_list(out, publications, "nothing was published there");
}

void PrintTo(const Deliveries& deliveries, std::ostream* out) { *out << deliveries; }
void PrintTo(const Publications& publications, std::ostream* out) { *out << publications; }

}  // namespace testing

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    switch (outcome.kind()) {
        case Outcome::Kind::ack: out << "ack"; break;
        case Outcome::Kind::nack: out << "nack"; break;
        case Outcome::Kind::term: out << "term"; break;
    }
    if (outcome.delay().count() > 0)
        out << " after " << fmt::format("{:g} s", std::chrono::duration<double>{outcome.delay()}.count());
    if (!outcome.reason().empty()) out << " (" << outcome.reason() << ')';
    return out;
}

std::ostream& operator<<(std::ostream& out, const Headers& headers) {
    out << '[';
    const char* separator = "";
    for (const auto& [name, value] : headers) {
        out << separator << name << ": " << value;
        separator = ", ";
    }
    return out << ']';
}

std::ostream& operator<<(std::ostream& out, const Error& error) { return out << error.what(); }
std::ostream& operator<<(std::ostream& out, Errc code) { return out << make_error_code(code).message(); }
std::ostream& operator<<(std::ostream& out, Condition condition) { return out << to_string(condition); }

}  // namespace freshet
