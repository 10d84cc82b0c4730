// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <freshet/error.hpp>
#include <freshet/options.hpp>

#include "nats/status.hpp"

namespace freshet::detail::nats {

/// Whether another attempt may succeed where this one failed.
bool may_pass(const Failure& failure);

/// The failure of an attempt that this thread has just made, with the reason of a TLS alert, such as "certificate
/// required": cnats takes one for a closed connection, and OpenSSL knows better.
Failure with_tls_alert(Failure failure);

/// What is said of a connection that could not be made with `options` after `waited`.
Error connect_error(const BrokerOptions& options, const Failure& failure, std::chrono::milliseconds waited);

}  // namespace freshet::detail::nats
