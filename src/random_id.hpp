// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace freshet::detail {

/// 22 random letters and digits: unique, not secret.
std::string random_id();

}  // namespace freshet::detail
