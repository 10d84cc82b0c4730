// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace freshet {

/// A body as it travels: bytes somebody else owns.
using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span{text.data(), text.size()}); }
inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace detail {

/// What is decoded. `terminated`: a NUL follows it, as it does the payload of each Message. Bytes alone say nothing of that.
struct Body {
    Body(Bytes some, bool is_terminated = false) noexcept : bytes{some}, terminated{is_terminated} {}

    Bytes bytes;
    bool terminated;
};

}  // namespace detail

/// What codecs write into. Grows as needed and keeps its capacity, so that a reused one does not allocate.
/// Not thread-safe.
class Buffer {
public:
    void append(std::string_view text) { data_.append(text); }
    void append(Bytes bytes) { data_.append(as_text(bytes)); }
    void push_back(char c) { data_.push_back(c); }
    void clear() noexcept { data_.clear(); }

    std::size_t size() const noexcept { return data_.size(); }
    bool empty() const noexcept { return data_.empty(); }
    Bytes bytes() const noexcept { return as_bytes(data_); }
    std::string_view text() const noexcept { return data_; }

    /// The storage itself, for libraries that write into a std::string.
    std::string& string() noexcept { return data_; }

private:
    std::string data_ = {};
};

}  // namespace freshet
