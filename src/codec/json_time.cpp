// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <freshet/detail/json/composites.hpp>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

namespace chrono = std::chrono;

__extension__ using Wide = __int128;  // holds any 64-bit number of seconds in nanoseconds

constexpr std::int64_t second = 1'000'000'000;

/// Takes a text apart from its front.
class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : text_{text} {}

    bool at_end() const noexcept { return text_.empty(); }
    bool at_digit() const noexcept { return !text_.empty() && '0' <= text_.front() && text_.front() <= '9'; }
    char take() noexcept {
        const char c = text_.empty() ? '\0' : text_.front();
        text_.remove_prefix(std::min<std::size_t>(1, text_.size()));
        return c;
    }
    bool take_one_of(std::string_view characters) noexcept {
        if (text_.empty() || !characters.contains(text_.front())) return false;
        take();
        return true;
    }
    /// Takes exactly `count` digits.
    std::optional<int> digits(int count) noexcept {
        int value = 0;
        for (; count > 0; --count) {
            if (!at_digit()) return std::nullopt;
            value = 10 * value + (take() - '0');
        }
        return value;
    }
    /// Takes a number of 1 to 18 digits.
    std::optional<std::int64_t> number() noexcept {
        if (!at_digit()) return std::nullopt;
        std::int64_t value = 0;
        for (int count = 0; at_digit(); ++count) {
            if (count == 18) return std::nullopt;
            value = 10 * value + (take() - '0');
        }
        return value;
    }
    /// Takes a fraction of a second such as `.5`, if one follows. Returns nanoseconds; finer digits are cut off.
    std::optional<std::int64_t> fraction() noexcept {
        if (!take_one_of(".,")) return 0;
        if (!at_digit()) return std::nullopt;
        std::int64_t value = 0;
        for (std::int64_t unit = second / 10; at_digit(); unit /= 10) value += unit * (take() - '0');
        return value;
    }

private:
    std::string_view text_;
};

/// Parses `-P1DT2H3M4.5S` into nanoseconds. Refuses years and months, which have no fixed length.
std::optional<Wide> parse_duration(std::string_view text) noexcept {
    Cursor in{text};
    const bool negative = in.take_one_of("-");
    if (!negative) in.take_one_of("+");
    if (!in.take_one_of("P")) return std::nullopt;
    struct Unit {
        char name;
        std::int64_t seconds;
    };
    constexpr Unit units[] = {{'W', 604'800}, {'D', 86'400}, {'T', 0}, {'H', 3'600}, {'M', 60}, {'S', 1}};
    Wide sum = 0;
    std::size_t next = 0;  // units[next] is the first unit that may still follow
    bool in_time = false;
    bool any = false;
    while (!in.at_end()) {
        if (!in_time && in.take_one_of("T")) {
            in_time = true;
            any = false;
            next = 3;
            continue;
        }
        const auto number = in.number();
        const auto fraction = in.fraction();
        if (!number || !fraction) return std::nullopt;
        const char name = in.take();
        while (next < std::size(units) && units[next].name != name) ++next;
        if (next == std::size(units) || (next > 2) != in_time || (*fraction != 0 && name != 'S')) return std::nullopt;
        sum += Wide{*number} * units[next].seconds * second + *fraction;
        any = true;
        ++next;
    }
    if (!any) return std::nullopt;
    return negative ? -sum : sum;
}

/// Parses `2026-01-31T23:59:59.5+02:00` into nanoseconds since 1970.
std::optional<Wide> parse_time(std::string_view text) noexcept {
    Cursor in{text};
    const auto year = in.digits(4);
    if (!in.take_one_of("-")) return std::nullopt;
    const auto month = in.digits(2);
    if (!in.take_one_of("-")) return std::nullopt;
    const auto day = in.digits(2);
    if (!in.take_one_of("Tt ")) return std::nullopt;
    const auto hour = in.digits(2);
    if (!in.take_one_of(":")) return std::nullopt;
    const auto minute = in.digits(2);
    if (!in.take_one_of(":")) return std::nullopt;
    const auto seconds = in.digits(2);
    const auto fraction = in.fraction();
    if (!year || !month || !day || !hour || !minute || !seconds || !fraction) return std::nullopt;
    std::int64_t offset = 0;
    if (!in.take_one_of("Zz")) {
        const bool west = in.take_one_of("-");
        if (!west && !in.take_one_of("+")) return std::nullopt;
        const auto hours = in.digits(2);
        const bool colon = in.take_one_of(":");
        const auto minutes = in.digits(2);
        if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
        offset = (*hours * 60 + *minutes) * (west ? -60 : 60);
    }
    const chrono::year_month_day date{chrono::year{*year}, chrono::month(static_cast<unsigned>(*month)),
                                      chrono::day(static_cast<unsigned>(*day))};
    if (!in.at_end() || !date.ok() || *hour > 23 || *minute > 59 || *seconds > 60)
        return std::nullopt;  // 60: a leap second
    const std::int64_t days = chrono::sys_days{date}.time_since_epoch().count();
    return Wide{days * 86'400 + *hour * 3'600 + *minute * 60 + *seconds - offset} * second + *fraction;
}

Wide floor(Wide value, Wide by) noexcept { return value / by - (value % by < 0 ? 1 : 0); }

bool fits(Wide nanoseconds, JsonTicks& ticks, bool towards_zero) noexcept {
    const Wide by = Wide{ticks.numerator} * second;
    const Wide value = nanoseconds * ticks.denominator;
    const Wide count = towards_zero ? value / by : floor(value, by);
    if (count < ticks.min || count > ticks.max) return false;
    ticks.count = static_cast<std::int64_t>(count);
    return true;
}

Wide nanoseconds_of(const JsonTicks& ticks) noexcept {
    return floor(Wide{ticks.count} * ticks.numerator * second, ticks.denominator);
}

/// Returns the fraction of a second with a point and 3, 6 or 9 digits; nothing for 0.
std::string fraction_text(std::int64_t nanoseconds) {
    if (nanoseconds == 0) return {};
    if (nanoseconds % 1'000'000 == 0) return fmt::format(".{:03}", nanoseconds / 1'000'000);
    if (nanoseconds % 1'000 == 0) return fmt::format(".{:06}", nanoseconds / 1'000);
    return fmt::format(".{:09}", nanoseconds);
}

bool read_text(JsonReader& in, const JsonNode& node, JsonTicks& ticks, std::optional<Wide> (*parse)(std::string_view),
               std::string_view expected, bool towards_zero) {
    if (!in.expect(node, JsonKind::text)) return false;
    const auto nanoseconds = parse(in.text(node));
    if (!nanoseconds) return in.fail(fmt::format("expected {}, got {}", expected, quoted(in.text(node))));
    return fits(*nanoseconds, ticks, towards_zero) ||
           in.fail(fmt::format("{} is out of the range of the field's type", quoted(in.text(node))));
}

}  // namespace

bool read_duration(JsonReader& in, const JsonNode& node, JsonTicks& ticks) {
    return read_text(in, node, ticks, &parse_duration, "a duration such as \"PT1.5S\" or \"P1DT12H\"", true);
}

bool write_duration(JsonWriter& out, const JsonTicks& ticks) {
    const Wide signed_nanoseconds = nanoseconds_of(ticks);
    const Wide nanoseconds = signed_nanoseconds < 0 ? -signed_nanoseconds : signed_nanoseconds;
    if (nanoseconds / second > Wide{999'999'999'999'999'999})
        return out.fail("a duration of 10^18 seconds or more cannot be written");
    return out.text(fmt::format("{}PT{}{}S", signed_nanoseconds < 0 ? "-" : "",
                                static_cast<std::int64_t>(nanoseconds / second),
                                fraction_text(static_cast<std::int64_t>(nanoseconds % second))));
}

bool read_time(JsonReader& in, const JsonNode& node, JsonTicks& ticks) {
    return read_text(in, node, ticks, &parse_time, "a time such as \"2026-01-31T23:59:59Z\"", false);
}

bool write_time(JsonWriter& out, const JsonTicks& ticks) {
    const Wide nanoseconds = nanoseconds_of(ticks);
    const Wide seconds = floor(nanoseconds, second);
    constexpr Wide first = -62'167'219'200;  // the year 0
    constexpr Wide last = 253'402'300'799;   // the end of the year 9999
    if (seconds < first || seconds > last) return out.fail("a time outside the years 0 to 9999 cannot be written");
    const chrono::sys_seconds time{chrono::seconds{static_cast<std::int64_t>(seconds)}};
    const auto day = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss clock{time - day};
    return out.text(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                                fraction_text(static_cast<std::int64_t>(nanoseconds - seconds * second))));
}

}  // namespace freshet::detail
