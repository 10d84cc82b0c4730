// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace freshet::detail {

/// Returns random letters and digits: unique, not secret. 22 of them are 131 bits.
std::string random_id(std::size_t size = 22);

}  // namespace freshet::detail
