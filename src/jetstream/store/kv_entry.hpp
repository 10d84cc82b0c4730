// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/js/stored_message.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/metadata.hpp>

namespace freshet::detail {

/// What a stored message did to its key (ADR-8, ADR-48).
kv::Operation operation_of(const Message& message);

/// The key in the subject of a bucket's message: what follows `$KV.<bucket>.`.
std::string_view key_of(std::string_view subject) noexcept;

/// The record that a consumer of the bucket's stream delivered.
KvRecord delivered_record(Message message, const Metadata& metadata);

/// The record that was asked for.
KvRecord stored_record(std::string_view bucket, js::StoredMessage stored);

}  // namespace freshet::detail
