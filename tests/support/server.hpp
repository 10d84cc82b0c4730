// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/testing/server.hpp>

namespace freshet::testing {
using NatsServer = Server;
}
