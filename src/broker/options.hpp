// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/options.hpp>

namespace freshet::detail {

/// Completes a broker's options: fills empty servers and credentials from the environment, then from the defaults.
/// Throws Error(Errc::bad_setup) for options that contradict each other or cannot be used.
BrokerOptions resolve(BrokerOptions options);

}  // namespace freshet::detail
