// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <fmt/format.h>

#include "base/without_secrets.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {

/// Throws Error(Errc::bad_setup, "what: why") if cnats did not take an option. Shows no secret of the option's value.
inline void require(natsStatus status, std::string_view what) {
    if (status == NATS_OK) return;
    raise({Errc::bad_setup, fmt::format("{}: {}", what, without_secrets(last_failure(status).detail))});
}

}  // namespace freshet::detail::nats
