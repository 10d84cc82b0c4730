// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>

namespace freshet::detail {

/// The kind of a bucket, for error messages.
enum class StoreKind { key_value, object };

/// Checks a bucket's name: letters, digits, '-' and '_' (ADR-8, ADR-20).
Expected<void> check_bucket(StoreKind kind, std::string_view bucket);

/// Checks a key: tokens of letters, digits and `-/_=`, separated by dots (ADR-8).
Expected<void> check_key(std::string_view key);

/// Checks a pattern over keys: a key in which a token may be `*`, and the last one `>`.
Expected<void> check_key_filter(std::string_view filter);

}  // namespace freshet::detail
