// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/called_with.hpp>

#include <algorithm>
#include <ostream>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <freshet/detail/subject_tokens.hpp>

#include "base/quoted.hpp"
#include "testing/shown_body.hpp"

namespace freshet::testing {
namespace {

using Json = nlohmann::json;
using Lines = std::vector<std::string>;

std::string text_of(const Json& value) {
    return detail::shown_body(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void add(Lines& lines, const std::string& where, const Json* actual, const Json* expected) {
    lines.push_back(fmt::format("{}: {}, {}", where, actual == nullptr ? "missing" : text_of(*actual),
                                expected == nullptr ? "not expected" : "expected " + text_of(*expected)));
}

/// Adds a line for each value in which the documents differ.
void compare(Lines& lines, const std::string& where, const Json& actual, const Json& expected) {
    if (actual.is_object() && expected.is_object()) {
        for (const auto& [name, value] : expected.items()) {
            const auto at = where + '.' + name;
            if (const auto found = actual.find(name); found == actual.end()) add(lines, at, nullptr, &value);
            else compare(lines, at, *found, value);
        }
        for (const auto& [name, value] : actual.items())
            if (!expected.contains(name)) add(lines, where + '.' + name, &value, nullptr);
    } else if (actual.is_array() && expected.is_array()) {
        for (std::size_t i = 0; i < std::max(actual.size(), expected.size()); ++i) {
            const auto at = fmt::format("{}[{}]", where, i);
            if (i >= actual.size()) add(lines, at, nullptr, &expected[i]);
            else if (i >= expected.size()) add(lines, at, &actual[i], nullptr);
            else compare(lines, at, actual[i], expected[i]);
        }
    } else if (actual != expected) {
        add(lines, where, &actual, &expected);
    }
}

void compare_bodies(Lines& lines, const CapturedMessage& message, const Expected<CalledWith::Body>& actual,
                    const CalledWith::Body& expected) {
    if (!actual) {
        lines.push_back(fmt::format("body: {} is not of the expected type: {}", detail::shown_body(message.body),
                                    actual.error().message()));
    } else if (actual->json && expected.json) {
        compare(lines, "body", Json::parse(actual->text), Json::parse(expected.text));
    } else if (actual->text != expected.text) {
        lines.push_back(fmt::format("body: {}, expected {}", detail::quoted(actual->text),
                                    detail::quoted(expected.text)));
    }
}

void compare_headers(Lines& lines, const Headers& actual, const Headers& expected) {
    std::vector<std::string_view> seen;
    for (const auto& field : expected) {
        const std::string_view name = field.first;
        if (std::ranges::find(seen, name) != seen.end()) continue;
        seen.push_back(name);
        const auto has = actual.values(name);
        const auto wants = expected.values(name);
        if (has == wants) continue;
        const auto list = [](const auto& values) { return detail::quoted(fmt::format("{}", fmt::join(values, ", "))); };
        lines.push_back(fmt::format("header {}: {}, expected {}", name, has.empty() ? "missing" : list(has),
                                    list(wants)));
    }
}

void compare_path(Lines& lines, const Delivery& delivery, const std::map<std::string, std::string>& expected) {
    for (const auto& [name, value] : expected) {
        const auto token = detail::find_parameter(delivery.subscriber, name);
        const auto actual = token ? detail::token_at(delivery.message.subject, *token) : std::string_view{};
        if (!token) {
            lines.push_back(fmt::format("path {}: the subject {} has no {{{}}}", name,
                                        detail::quoted(delivery.subscriber), name));
        } else if (actual != value) {
            lines.push_back(fmt::format("path {}: {}, expected {}", name, detail::quoted(actual),
                                        detail::quoted(value)));
        }
    }
}

}  // namespace

bool CalledWith::among(const Deliveries& deliveries) const {
    struct Closest {
        std::size_t number = 0;
        const Delivery* delivery = nullptr;
        Lines lines = {};
    } closest;
    std::size_t calls = 0;
    for (const auto& delivery : deliveries) {
        if (delivery.rejected) continue;
        ++calls;
        Lines lines;
        compare_bodies(lines, delivery.message, read_(delivery.message), body_);
        compare_headers(lines, delivery.message.headers, details_.headers);
        compare_path(lines, delivery, details_.path);
        if (closest.delivery == nullptr || lines.size() < closest.lines.size())
            closest = {calls, &delivery, std::move(lines)};
    }
    difference_.clear();
    if (closest.delivery == nullptr) {
        difference_ = deliveries.empty() ? "it was not called" : "it was not called: every message was rejected before";
        return false;
    }
    if (closest.lines.empty()) return true;
    difference_ = fmt::format("{}, on {}:\n        {}",
                              calls == 1 ? "the one call differs"
                                         : fmt::format("call {} of {} comes closest", closest.number, calls),
                              closest.delivery->message.subject, fmt::join(closest.lines, "\n        "));
    return false;
}

std::ostream& CalledWith::print(std::ostream& out) const {
    out << "called with " << detail::shown_body(body_.text);
    if (!details_.headers.empty()) out << ' ' << details_.headers;
    for (const auto& [name, value] : details_.path) out << " {" << name << "}=" << value;
    if (!difference_.empty()) out << "\n    " << difference_;
    return out;
}

}  // namespace freshet::testing
