// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <limits>
#include <string>

#include "shapes.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Seconds = std::chrono::sys_seconds;
using Days = std::chrono::duration<int, std::ratio<86'400>>;

template <class T>
T reread(const T& value) {
    return sent(value, Format::json);
}

}  // namespace

TEST_CASE("FRESHET_JSON takes what the standard library has and JSON has not") {
    shapes::check<shapes::fields::Whole, shapes::fields::Event, shapes::fields::Inner>();
}

TEST_CASE("durations are read as ISO 8601 has them") {
    const auto ns = [](const char* text) { return *read<Nanoseconds>('"' + std::string{text} + '"'); };
    CHECK(ns("PT0S") == 0s);
    CHECK(ns("P1DT2H3M4.5S") == 26h + 3min + 4500ms);
    CHECK(ns("P2W") == 14 * 24h);
    CHECK(ns("+PT1,25S") == 1250ms);
    CHECK(ns("PT36H") == 36h);
    CHECK(ns("PT0.1234567891S") == 123'456'789ns);  // what is finer is cut off
    CHECK(read<std::chrono::seconds>("\"-PT1.9S\"") == -1s);
    CHECK(read<std::chrono::minutes>("\"PT119S\"") == 1min);
    for (const std::string wrong : {"",
                                    "P",
                                    "PT",
                                    "P1",
                                    "1S",
                                    "PT1",
                                    "P1Y",
                                    "P1M",
                                    "P1S",
                                    "PT1D",
                                    "P1DT",
                                    "PT1S1M",
                                    "PT1.S",
                                    "PT.5S",
                                    "PT1.5M",
                                    "PTS",
                                    "P-1D",
                                    "PT1S ",
                                    " PT1S",
                                    "--PT1S",
                                    "pt1s",
                                    "PT1S1S",
                                    "PT1000000000000000000000S"}) {
        CAPTURE(wrong);
        CHECK_FALSE(refusal<Nanoseconds>('"' + wrong + '"').empty());
    }
    CHECK(refusal<Nanoseconds>("\"1.5\"") == R"(expected a duration such as "PT1.5S" or "P1DT12H", got "1.5")");
    CHECK(refusal<Nanoseconds>("5") == "expected string, got number");  // of what?
    CHECK(refusal<Nanoseconds>("\"P106752D\"") == "\"P106752D\" is out of the range of the field's type");
    CHECK(
        refusal<std::chrono::duration<std::uint8_t>>("\"-PT1S\"").ends_with("is out of the range of the field's type"));
}

TEST_CASE("every duration comes back") {
    for (const Nanoseconds value :
         {Nanoseconds::min(), Nanoseconds::max(), Nanoseconds{-1}, Nanoseconds{1'000'000'000}})
        CHECK(reread(value) == value);
    for (const Days value : {Days::min(), Days::max()}) CHECK(reread(value) == value);
    CHECK(write_refusal(std::chrono::hours::max()) == "a duration of 10^18 seconds or more cannot be written");
}

TEST_CASE("times are read as RFC 3339 has them") {
    const auto at = [](const char* text) { return read<Seconds>('"' + std::string{text} + '"')->time_since_epoch(); };
    CHECK(at("1970-01-01T00:00:00Z") == 0s);
    CHECK(at("1970-01-01T01:00:00.9+01:00") == 0s);
    CHECK(at("1969-12-31T23:59:59.9Z") == -1s);  // cut to the second before
    CHECK(at("1969-12-31 16:00:00-08:00") == 0s);
    CHECK(at("1970-01-01t00:00:00z") == 0s);
    CHECK(at("2016-12-31T23:59:60Z") == at("2017-01-01T00:00:00Z"));
    for (const std::string wrong :
         {"", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00Z", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z",
          "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z", "70-01-01T00:00:00Z",
          "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+25:00", "1970-01-01T00:00:00Z ",
          "+970-01-01T00:00:00Z", "1970-01-01T00:00:00ZZ"}) {
        CAPTURE(wrong);
        CHECK_FALSE(refusal<Seconds>('"' + wrong + '"').empty());
    }
    CHECK(refusal<Seconds>("0") == "expected string, got number");
    CHECK(refusal<std::chrono::sys_time<Nanoseconds>>("\"9999-01-01T00:00:00Z\"")
              .ends_with("is out of the range of the field's type"));
}

TEST_CASE("every time of the years 0 to 9999 comes back") {
    using std::chrono::sys_time;
    for (const auto seconds : {-62'167'219'200s, 253'402'300'799s, 0s, -1s})
        CHECK(reread(Seconds{seconds}) == Seconds{seconds});
    for (const auto value : {Nanoseconds::min(), Nanoseconds::max(), Nanoseconds{-1}})
        CHECK(reread(sys_time<Nanoseconds>{value}) == sys_time<Nanoseconds>{value});
    CHECK(write_refusal(Seconds{253'402'300'800s}) == "a time outside the years 0 to 9999 cannot be written");
    CHECK(write_refusal(Seconds::min()) == "a time outside the years 0 to 9999 cannot be written");
}
