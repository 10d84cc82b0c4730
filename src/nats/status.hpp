// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nats/nats.h>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// A call of cnats's that failed.
struct Failure {
    natsStatus status = NATS_OK;
    std::string detail = {};  ///< what cnats, the server or OpenSSL said
};

/// What cnats knows of the call that has just failed. It keeps that per thread and until the next call: ask at once.
Failure last_failure(natsStatus status);

Errc to_errc(natsStatus status) noexcept;

/// "what: why", where `what` is what was tried on what. Reads last_failure().
Error to_error(natsStatus status, std::string_view what);

}  // namespace freshet::detail::nats
