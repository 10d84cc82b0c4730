// SPDX-License-Identifier: Apache-2.0
// FRESHET_JSON and glaze beside each other: every short text in the place of a member, damaged documents, and
// mutations.
#include <random>
#include <string>
#include <string_view>

#include "lane_probe.hpp"
#include "mutations.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace {

void check_both(std::string_view body, Format format) {
    const auto plain = read<probe::plain::Probe>(body, content_type(format));
    const auto fields = read<probe::fields::Probe>(body, content_type(format));
    if (plain && fields) {
        if (written(*plain, Format::cbor) != written(*fields, Format::cbor)) FAIL_CHECK("other values for " << body);
    } else if (plain || fields) {
        FAIL_CHECK("other verdicts for " << body);
    } else if (plain.error().message() != fields.error().message()) {
        FAIL_CHECK("other reasons for " << body << ": " << plain.error().message() << "; " << fields.error().message());
    }
}

}  // namespace

TEST_CASE("every short text as the value of a member has one verdict and one value in both lanes") {
    constexpr std::string_view alphabet = "01-.e\"\\[]{}, n";
    for (const std::string member : {"i", "d", "s", "x"}) {
        for (const char a : alphabet) {
            for (const char b : alphabet) {
                check_both(std::string{"{\""} + member + "\":" + a + b + '}', Format::json);
                for (const char c : alphabet)
                    check_both(std::string{"{\""} + member + "\":" + a + b + c + '}', Format::json);
            }
        }
    }
}

TEST_CASE("mutations of the table of cases have one verdict and one value in both lanes") {
    for_each_mutation(40, [](const std::string& body, Format format) { check_both(body, format); });
}

TEST_CASE("damaged documents have one verdict and one value in both lanes") {
    std::mt19937 random{23};
    const auto probe = read<probe::fields::Probe>(
        R"({"i":-3,"u8":255,"i64":-9007199254740993,"u64":18446744073709551615,"d":1e22,"f":0.1,"s":"é\"\n","color":"green",
            "inner":{"a":1,"b":2},"list":[1,2,3],"map":{"a":1,"b":2}})");
    REQUIRE(probe);
    for (const Format format : formats) {
        const auto body = written(*probe, format);
        for (int round = 0; round < 5'000; ++round) {
            std::string damaged = body;
            for (auto hits = 1 + random() % 3; hits > 0; --hits) {
                const auto at = random() % damaged.size();
                if (random() % 2 == 0) damaged[at] = static_cast<char>(random());
                else damaged[at] = body[random() % body.size()];
            }
            check_both(damaged, format);
        }
    }
}
