// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/options.hpp>

namespace freshet::detail {

/// What a broker works with: empty servers and credentials are filled from the environment, then from the defaults, and
/// contradictions are found. Throws Error(Errc::bad_setup).
BrokerOptions resolve(BrokerOptions options);

}  // namespace freshet::detail
