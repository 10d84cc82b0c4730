// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace freshet {

/// The bytes of a body, owned by somebody else.
using Bytes = std::span<const std::byte>;

/// Views the characters of `text` as bytes.
inline Bytes as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span{text.data(), text.size()}); }
/// Views bytes as characters.
inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A body that a handler returns without copying it: `return Borrowed{name};`, also within Response, std::optional or
/// Expected. You promise that the text or the bytes outlive the handler, as a literal, a member of the handler's
/// object, or the message do. A plain view as a result does not compile, because most views in a function refer to
/// something that ends with it.
class Borrowed {
public:
    Borrowed() noexcept = default;
    explicit Borrowed(Bytes bytes) noexcept : bytes_{bytes} {}
    explicit Borrowed(std::string_view text) noexcept : bytes_{as_bytes(text)} {}
    explicit Borrowed(const char* text) noexcept : Borrowed{std::string_view{text}} {}
    Borrowed(std::string&&) = delete;  // ends before anything is sent

    Bytes bytes() const noexcept { return bytes_; }
    std::string_view text() const noexcept { return as_text(bytes_); }

private:
    Bytes bytes_ = {};
};

namespace detail {

/// The bytes to decode. `terminated` says that a NUL follows them, as it follows the payload of each Message; a plain
/// Bytes value does not promise that.
struct Body {
    Body(Bytes some, bool is_terminated = false) noexcept : bytes{some}, terminated{is_terminated} {}

    Bytes bytes;
    bool terminated;
};

}  // namespace detail

/// The growing buffer that codecs write into. It keeps its capacity when it is cleared, so that a reused buffer does
/// not allocate. Not thread-safe.
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

    /// Returns the storage itself, for libraries that write into a std::string.
    std::string& string() noexcept { return data_; }

private:
    std::string data_ = {};
};

}  // namespace freshet
