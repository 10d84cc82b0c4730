// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace freshet::js {

/// What to do about a stream, consumer or bucket that your program names. Only settings that you set count. An unset
/// setting is the server's default for a new object, and is neither compared nor changed in an existing one, except for
/// what makes the object what it is (a stream's mirror and sources, a consumer's filters), and, with `reconcile`, what
/// no value could take away (docs/jetstream.md, docs/jetstream-consumers.md).
enum class Declare : std::uint8_t {
    never,              ///< requires that it exists; ignores its settings
    create_if_missing,  ///< creates it if it is missing; uses an existing one as it is
    verify,             ///< creates it if it is missing; Errc::settings_differ, with a list, if its settings differ
    reconcile,          ///< creates it if it is missing; changes settings that differ, and logs each change
};

/// One setting that differs from the wanted one. Name and values are those that `nats stream info --json` shows, except
/// that times are readable: "24h".
struct Difference {
    std::string setting = {};
    std::string found = {};
    std::string wanted = {};

    friend bool operator==(const Difference&, const Difference&) = default;
};

}  // namespace freshet::js
