// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace freshet::js {

/// What to do about a stream, consumer or bucket that a program names. Only settings that are set count: what is left unset is the
/// server's default for a new one, and neither compared nor changed for one that exists.
enum class Declare : std::uint8_t {
    never,              ///< it must exist; its settings are not looked at
    create_if_missing,  ///< one that exists is used as it is
    verify,             ///< and if it has other settings, that is Errc::settings_differ, which lists them
    reconcile,          ///< and its other settings are changed to these, each change logged
};

/// One setting that is not as wanted. The name and the values are as `nats stream info --json` has them, but times are readable: "24h".
struct Difference {
    std::string setting = {};
    std::string found = {};
    std::string wanted = {};

    friend bool operator==(const Difference&, const Difference&) = default;
};

}  // namespace freshet::js
