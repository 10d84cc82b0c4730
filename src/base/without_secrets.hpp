// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns `text` without what may be a secret, to be shown: an nkey's seed becomes "(a seed)", a JWT "(a JWT)", and a
/// URL loses its user, password and token and everything after its host and port. Use it for each text that came out of
/// a URL, an option, the environment or a file: people paste secrets into the wrong place.
std::string without_secrets(std::string_view text);

/// Returns the part of a URL's host and port that may be shown: all of it, unless something else than a number stands
/// in the place of the port, as in `bob:password`, where the host was forgotten.
std::string_view shown_address(std::string_view address);

}  // namespace freshet::detail
