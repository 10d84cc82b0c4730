// SPDX-License-Identifier: Apache-2.0
#include "jetstream/api/rfc3339.hpp"

#include <chrono>
#include <cstdint>

#include <fmt/format.h>

#include <freshet/text.hpp>

namespace freshet::detail {
namespace {

namespace chrono = std::chrono;

/// Reads a text from its front.
class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : text_{text} {}

    /// Reads `count` digits and returns their value; -1 if they are not there.
    int digits(std::size_t count) noexcept {
        const auto value = FromText<unsigned>::parse(text_.substr(0, count));
        if (text_.size() < count || !value) return -1;
        text_.remove_prefix(count);
        return static_cast<int>(*value);
    }
    bool one_of(std::string_view characters) noexcept {
        if (text_.empty() || !characters.contains(text_.front())) return false;
        last_ = text_.front();
        text_.remove_prefix(1);
        return true;
    }
    char last() const noexcept { return last_; }
    bool at_end() const noexcept { return text_.empty(); }
    bool at_digit() const noexcept { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

private:
    std::string_view text_;
    char last_ = 0;
};

/// Reads a fraction such as `.587861324`; 0 if there is none.
std::optional<chrono::nanoseconds> parse_fraction(Cursor& in) noexcept {
    if (!in.one_of(".,")) return chrono::nanoseconds{0};
    if (!in.at_digit()) return std::nullopt;
    std::int64_t value = 0;
    for (std::int64_t unit = 100'000'000; in.at_digit(); unit /= 10) value += unit * in.digits(1);
    return chrono::nanoseconds{value};
}

/// Reads an offset: `Z`, `+02:00` or ` +0000 UTC`.
std::optional<chrono::minutes> parse_offset(Cursor& in) noexcept {
    in.one_of(" ");
    if (in.one_of("Zz")) return chrono::minutes{0};
    if (!in.one_of("+-")) return std::nullopt;
    const int sign = in.last() == '-' ? -1 : 1;
    const int hours = in.digits(2);
    in.one_of(":");
    const int minutes = in.digits(2);
    if (hours < 0 || minutes < 0) return std::nullopt;
    return sign * (chrono::hours{hours} + chrono::minutes{minutes});
}

}  // namespace

std::optional<chrono::system_clock::time_point> parse_rfc3339(std::string_view text) noexcept {
    Cursor in{text};
    const int year = in.digits(4);
    if (!in.one_of("-")) return std::nullopt;
    const int month = in.digits(2);
    if (!in.one_of("-")) return std::nullopt;
    const int day = in.digits(2);
    if (!in.one_of("Tt ")) return std::nullopt;
    const int hour = in.digits(2);
    if (!in.one_of(":")) return std::nullopt;
    const int minute = in.digits(2);
    if (!in.one_of(":")) return std::nullopt;
    const int second = in.digits(2);
    const auto fraction = parse_fraction(in);
    const auto offset = parse_offset(in);
    const chrono::year_month_day date{chrono::year{year}, chrono::month(static_cast<unsigned>(month)),
                                      chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
        !fraction || !offset)
        return std::nullopt;
    const chrono::sys_seconds time =
        chrono::sys_days{date} + chrono::hours{hour} + chrono::minutes{minute} + chrono::seconds{second} - *offset;
    using TimePoint = chrono::system_clock::time_point;
    if (time <= chrono::ceil<chrono::seconds>(TimePoint::min()) ||
        time >= chrono::floor<chrono::seconds>(TimePoint::max()))
        return std::nullopt;
    return time + *fraction;
}

std::string format_rfc3339(chrono::system_clock::time_point time) {
    const auto day = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss clock{chrono::duration_cast<chrono::nanoseconds>(time - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace freshet::detail
