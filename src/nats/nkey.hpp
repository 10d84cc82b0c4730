// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// Bytes of a signature (Ed25519).
inline constexpr std::size_t signature_size = 64;

/// Returns the public key (`U...`) of a user's nkey seed (`SU...`). cnats needs it beside the seed that it signs with.
/// Errc::bad_setup, without the seed in the text.
Expected<std::string> public_nkey(std::string_view seed);

/// Returns the seed in the content of a seed file: the first line that looks like a seed, as cnats reads it.
Expected<std::string> seed_in(std::string_view content);

}  // namespace freshet::detail::nats
