// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"

using namespace freshet;
using namespace freshet::testing;

// At global scope, and as many fields as there may be.
struct Wide {
    int f0 = 0, f1 = 1, f2 = 2, f3 = 3, f4 = 4, f5 = 5, f6 = 6, f7 = 7, f8 = 8, f9 = 9, f10 = 10, f11 = 11, f12 = 12,
        f13 = 13, f14 = 14, f15 = 15, f16 = 16, f17 = 17, f18 = 18, f19 = 19, f20 = 20, f21 = 21, f22 = 22, f23 = 23,
        f24 = 24, f25 = 25, f26 = 26, f27 = 27, f28 = 28, f29 = 29, f30 = 30, f31 = 31, f32 = 32, f33 = 33, f34 = 34,
        f35 = 35, f36 = 36, f37 = 37, f38 = 38, f39 = 39, f40 = 40, f41 = 41, f42 = 42, f43 = 43, f44 = 44, f45 = 45,
        f46 = 46, f47 = 47, f48 = 48, f49 = 49, f50 = 50, f51 = 51, f52 = 52, f53 = 53, f54 = 54, f55 = 55, f56 = 56,
        f57 = 57, f58 = 58, f59 = 59, f60 = 60, f61 = 61, f62 = 62, f63 = 63;
    bool operator==(const Wide&) const = default;
};
FRESHET_JSON(Wide, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21,
             f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42,
             f43, f44, f45, f46, f47, f48, f49, f50, f51, f52, f53, f54, f55, f56, f57, f58, f59, f60, f61,
             (f62, or_default), (f63, "last"));

namespace {

// Names that the macro uses itself.
struct Awkward {
    int type = 1;
    int info = 2;
    int field = 3;
    int or_default = 4;
    int freshet = 5;
};
FRESHET_JSON(Awkward, type, info, (field, or_default), or_default, (freshet, "freshet", ::freshet::or_default));

}  // namespace

TEST_CASE("a type has up to 64 fields") {
    Wide wide;
    wide.f63 = -1;
    for (const Format format : formats) CHECK(sent(wide, format) == wide);
    const auto body = written(wide);
    CHECK(body.ends_with(R"("f62":62,"last":-1})"));
    CHECK(refusal<Wide>(body.substr(0, body.rfind(',')) + "}") == "last: missing");
}

TEST_CASE("fields may have any name") {
    CHECK(written(Awkward{}) == R"({"type":1,"info":2,"field":3,"or_default":4,"freshet":5})");
    CHECK(read<Awkward>(R"({"type":1,"info":2,"or_default":7})")->or_default == 7);
    CHECK(refusal<Awkward>(R"({"type":1,"info":2})") == "or_default: missing");
}
