// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/fixed_string.hpp>

// A deleted function that says why. Only Clang has a text for that in C++23; what GCC shows is the function's type.
#if defined(__clang__)
#define FRESHET_DELETED(text)                                                                                          \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wc++26-extensions\"") =                      \
        delete (text)_Pragma("clang diagnostic pop")
#else
#define FRESHET_DELETED(text) = delete
#endif

namespace freshet::detail {

struct NoOptionOfASubscriberHasThisNameAndType;

/// What a call of subscriber means when nothing else fits: braces whose names or values are not those of
/// SubscriberOptions. The compiler's own words would be a list of all overloads. Volatile, so that each of them is the
/// better one.
class MisspeltOption {
public:
    template <FixedString Pattern>
    NoOptionOfASubscriberHasThisNameAndType subscriber(...) volatile FRESHET_DELETED(
        "freshet: no option of a subscriber has this name and type; write freshet::SubscriberOptions{...}, and the "
        "compiler names it. See docs/handlers.md#options");
    NoOptionOfASubscriberHasThisNameAndType subscriber(std::string, ...) volatile FRESHET_DELETED(
        "freshet: no option of a subscriber has this name and type; write freshet::SubscriberOptions{...}, and the "
        "compiler names it. See docs/handlers.md#options");
};

}  // namespace freshet::detail

#undef FRESHET_DELETED
