// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns `text` without what may be a secret, to be shown: an nkey's seed becomes "(a seed)", a JWT "(a JWT)", and a
/// URL loses its user, password and token and everything after its host and port. Use it for each text that came out of
/// a URL, an option, the environment or a file: people paste secrets into the wrong place.
std::string without_secrets(std::string_view text);

}  // namespace freshet::detail
