// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <freshet/transport.hpp>

namespace freshet::testing {

/// A way to break a transport, and a rule that it breaks.
struct Mutation {
    std::string_view name;
    std::string_view rule;
};

std::vector<Mutation> mutations();

/// A transport that breaks one rule.
std::unique_ptr<Transport> mutate(std::unique_ptr<Transport> transport, std::string_view mutation);

}  // namespace freshet::testing
