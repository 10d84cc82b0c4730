// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/error.hpp>

namespace freshet::detail {

/// The report of a JSON library on a body that it refuses.
struct JsonMismatch {
    std::size_t offset = 0;  ///< byte where the library stopped: in a value, or in an object that lacks a member
    std::string_view expected = {};  ///< "number", "string"..., if the library expected another kind of value
    std::string_view missing = {};   ///< name of the member that is not there
    std::string_view reason = {};    ///< any other reason
};

/// Returns the error for a mismatch, in the words of FRESHET_JSON: `lines[2].qty: expected number, got string`.
Error json_mismatch(Bytes json, const JsonMismatch& mismatch);

/// Throws Error(Errc::bad_payload) unless `text` is UTF-8.
void require_utf8(std::string_view text);

}  // namespace freshet::detail
