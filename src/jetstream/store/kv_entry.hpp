// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/js/stored_message.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/metadata.hpp>

namespace freshet::detail {

/// Returns what a stored message did to its key (ADR-8, ADR-48).
kv::Operation operation_of(const Message& message);

/// Returns the key in the subject of a bucket's message: the part behind `$KV.<bucket>.`.
std::string_view key_of(std::string_view subject) noexcept;

/// Returns the record of a message that a consumer of the bucket's stream has delivered.
KvRecord delivered_record(Message message, const Metadata& metadata);

/// Returns the record of a message that was read from the stream.
KvRecord stored_record(std::string_view bucket, js::StoredMessage stored);

}  // namespace freshet::detail
