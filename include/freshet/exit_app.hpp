// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <freshet/error.hpp>

namespace freshet {

/// Ends the program in an orderly way when a handler or a hook throws it:
/// `throw ExitApp{3, "the licence has expired"}`. The message that was being handled counts as failed. In a program
/// without an App, it stops the broker.
class ExitApp : public Error {
public:
    explicit ExitApp(int code, std::string why = "the program was asked to exit")
        : Error{Errc::closed, std::move(why)}, code_{code} {}
    /// Returns the exit code that was given to the constructor.
    int code() const noexcept { return code_; }

private:
    int code_;
};

}  // namespace freshet
