// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/options.hpp>

#include "nats/attempts.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {

/// Returns true if another attempt may succeed after this failure.
bool may_pass(const Failure& failure);
/// Returns true if one of the attempts may succeed when it is repeated.
bool may_pass(const std::vector<FailedAttempt>& attempts);

/// Returns true if the failure only says that the connection ended, and not why.
bool is_bare(const Failure& failure);

/// Returns the failure of an attempt that this thread has just made, with the reason of a TLS alert, such as
/// "certificate required", if OpenSSL has one: cnats reports an alert as a closed connection.
Failure with_tls_alert(Failure failure);

/// Returns why an attempt failed and what to do, without secrets: "refused user "bob": Authorization Violation; check
/// BrokerOptions::credentials".
std::string reason_of(const BrokerOptions& options, const FailedAttempt& attempt);

/// Returns the error of a connection that could not be made with `options`, after attempts for `waited`. Names each
/// server with its own reason if they differ. `attempts` must not be empty.
Error connect_error(const BrokerOptions& options, const std::vector<FailedAttempt>& attempts,
                    std::chrono::milliseconds waited);

}  // namespace freshet::detail::nats
