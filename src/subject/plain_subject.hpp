// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::detail {

/// Returns whether check_subject(text) is SubjectFault::none, looking at eight characters at a time: every publication
/// calls it.
bool may_publish_on(std::string_view text) noexcept;

}  // namespace freshet::detail
