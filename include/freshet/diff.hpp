// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <freshet/describe.hpp>

namespace freshet {

/// What a change means to a program that was written for the old description.
enum class Impact : std::uint8_t {
    safe,      ///< it goes on as before
    look,      ///< nobody can tell without knowing the program
    breaking,  ///< it fails, or gets no messages or answers any more
};

/// One change between two descriptions of a service.
struct Change {
    std::string where = {};          ///< such as `receive orders.{region}.created: amount`
    std::string what = {};           ///< such as `is required now`
    Impact consumer = Impact::safe;  ///< to a program that receives these messages, which the service sends
    Impact producer = Impact::safe;  ///< to a program that sends these messages, which the service receives
    Impact impact = Impact::safe;    ///< to the programs that the service really has: the verdict that counts

    friend bool operator==(const Change&, const Change&) = default;
};

/// Returns what changed between two descriptions of a service, and what each change means to the programs around it, in
/// the order of the operations. Operations are compared by their kind and subject. Unknown members are ignored by
/// freshet's decoders, so that a new member breaks nobody who reads; see docs/describe.md.
std::vector<Change> diff(const Description& old_one, const Description& new_one);

/// Returns true if a change is breaking.
bool breaks(const std::vector<Change>& changes) noexcept;

/// Returns "safe", "look" or "breaking".
const char* to_string(Impact impact) noexcept;

}  // namespace freshet
