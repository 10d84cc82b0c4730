// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <typeinfo>

#include <cxxabi.h>

namespace freshet::detail {

/// Returns the name of a type as its program writes it: `shop::Database`.
inline std::string type_text(const char* mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text{abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                           &std::free};
    return text != nullptr ? text.get() : mangled;
}

}  // namespace freshet::detail
