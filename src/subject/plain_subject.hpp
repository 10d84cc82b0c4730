// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::detail {

/// check_subject(text) == SubjectFault::none, eight characters at a time: every publication asks.
bool may_publish_on(std::string_view text) noexcept;

}  // namespace freshet::detail
