// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of services, without a server or with one. Link freshet::testing. See docs/testing.md.

#include <freshet/testing/called_with.hpp>
#include <freshet/testing/capture.hpp>
#include <freshet/testing/failed.hpp>
#include <freshet/testing/memory_server.hpp>
#include <freshet/testing/server.hpp>
#include <freshet/testing/test_app.hpp>
#include <freshet/testing/test_broker.hpp>
#include <freshet/testing/virtual_clock.hpp>
