// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <nats/nats.h>

#include <freshet/error.hpp>
#include <freshet/options.hpp>

#include "nats/status.hpp"

namespace freshet::detail::nats {

/// Returns the last error that the connection remembers.
Failure last_error(natsConnection* native);

/// Returns true if another attempt may succeed after this failure.
bool may_pass(const Failure& failure);

/// Returns the failure of an attempt that this thread has just made, with the reason of a TLS alert, such as
/// "certificate required", if OpenSSL has one: cnats reports an alert as a closed connection.
Failure with_tls_alert(Failure failure);

/// Returns the error of a connection that could not be made with `options`, after attempts for `waited`.
Error connect_error(const BrokerOptions& options, const Failure& failure, std::chrono::milliseconds waited);

}  // namespace freshet::detail::nats
