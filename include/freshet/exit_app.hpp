// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <freshet/error.hpp>

namespace freshet {

/// Ends the program in an orderly way from inside a handler or a hook: `throw ExitApp{3, "the licence has expired"}`. The
/// message that was being handled has failed. Without an App the broker stops.
class ExitApp : public Error {
public:
    explicit ExitApp(int code, std::string why = "the program was asked to exit")
        : Error{Errc::closed, std::move(why)}, code_{code} {}
    int code() const noexcept { return code_; }

private:
    int code_;
};

}  // namespace freshet
