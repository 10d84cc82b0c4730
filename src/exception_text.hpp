// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace freshet::detail {

/// What the exception in flight says. To be called in a catch block.
inline std::string exception_text() {
    try {
        throw;
    } catch (const std::exception& error) { return error.what(); } catch (...) {
        return "an exception that is not a std::exception";
    }
}

}  // namespace freshet::detail
