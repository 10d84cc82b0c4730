// SPDX-License-Identifier: Apache-2.0
#pragma once

// Path, Header, Field, Error and Outcome as arguments of log lines and of fmt: `log.info("{} failed: {}", id, error)`.

#include <optional>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/logger.hpp>
#include <freshet/outcome.hpp>
#include <freshet/outgoing.hpp>

namespace freshet::detail {

/// A formatter that hands the value on, or a text of it, with the format's own specification: `{:>8}`.
class HandOn {
public:
    constexpr auto parse(fmt::format_parse_context& context) {
        const auto* end = context.begin();
        while (end != context.end() && *end != '}') ++end;
        spec_ = {context.begin(), static_cast<std::size_t>(end - context.begin())};
        return end;
    }

protected:
    fmt::format_context::iterator write(fmt::format_context& context, std::string_view text) const;
    template <class T>
    fmt::format_context::iterator write_value(fmt::format_context& context, const T& value) const {
        if constexpr (std::is_convertible_v<const T&, std::string_view>) return write(context, value);
        else return write(context, fmt::make_format_args(value));
    }

private:
    fmt::format_context::iterator write(fmt::format_context& context, fmt::format_args value) const;

    std::string_view spec_ = {};
};

template <class T>
inline constexpr bool formats = fmt::is_formattable<T>::value;
template <class T>
inline constexpr bool formats<std::optional<T>> = fmt::is_formattable<T>::value;

/// Formats what a parameter of a handler holds; an absent one as "none".
template <class Parameter>
struct ParameterFormatter : HandOn {
    auto format(const Parameter& parameter, fmt::format_context& context) const {
        if constexpr (is_optional<std::remove_cvref_t<decltype(*parameter)>>)
            return parameter.value ? write_value(context, *parameter.value) : write(context, std::string_view{"none"});
        else return write_value(context, *parameter);
    }
};

struct ErrorFormatter : HandOn {
    auto format(const Error& error, fmt::format_context& context) const { return write(context, error.message()); }
};

}  // namespace freshet::detail

template <freshet::FixedString Name, class T, freshet::DefaultValue... Default>
    requires freshet::detail::formats<T>
struct fmt::formatter<freshet::Path<Name, T, Default...>>
    : freshet::detail::ParameterFormatter<freshet::Path<Name, T, Default...>> {};
template <freshet::FixedString Name, class T, freshet::DefaultValue... Default>
    requires freshet::detail::formats<T>
struct fmt::formatter<freshet::Header<Name, T, Default...>>
    : freshet::detail::ParameterFormatter<freshet::Header<Name, T, Default...>> {};
template <freshet::FixedString Name, class T, freshet::DefaultValue... Default>
    requires freshet::detail::formats<T>
struct fmt::formatter<freshet::Field<Name, T, Default...>>
    : freshet::detail::ParameterFormatter<freshet::Field<Name, T, Default...>> {};
template <>
struct fmt::formatter<freshet::OutgoingText> : freshet::detail::HandOn {
    auto format(std::string_view text, fmt::format_context& context) const { return write(context, text); }
};
template <>
struct fmt::formatter<freshet::Error> : freshet::detail::ErrorFormatter {};
template <>
struct fmt::formatter<freshet::RemoteError> : freshet::detail::ErrorFormatter {};
/// As "ack", "nack in 5000 ms" or "term: why".
template <>
struct fmt::formatter<freshet::Outcome> : freshet::detail::HandOn {
    fmt::format_context::iterator format(const freshet::Outcome& outcome, fmt::format_context& context) const;
};
