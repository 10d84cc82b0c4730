// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nats/nats.h>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// A failed call of cnats.
struct Failure {
    natsStatus status = NATS_OK;
    std::string detail = {};  ///< the text of cnats, the server or OpenSSL
};

/// Returns what cnats knows of the call that has just failed. cnats keeps that per thread and until the next call, so
/// ask at once.
Failure last_failure(natsStatus status);

/// Returns the last error that the connection remembers; an empty text if there is none.
Failure remembered_error(natsConnection* connection);

Errc to_errc(natsStatus status) noexcept;

/// Returns an Error "what: why"; `what` names the action and its object. Reads last_failure().
Error to_error(natsStatus status, std::string_view what);

}  // namespace freshet::detail::nats
