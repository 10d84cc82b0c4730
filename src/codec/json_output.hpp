// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace freshet::detail {

/// Copies a text and returns the end of the copy. For short texts this is faster than a call of memcpy.
inline char* copy_text(char* to, std::string_view text) noexcept {
    const char* const from = text.data();
    const std::size_t size = text.size();
    const auto copy_ends = [&]<class Word>(Word) {  // the two may overlap
        std::memcpy(to, from, sizeof(Word));
        std::memcpy(to + size - sizeof(Word), from + size - sizeof(Word), sizeof(Word));
    };
    if (size > 16) std::memcpy(to, from, size);
    else if (size >= 8) copy_ends(std::uint64_t{});
    else if (size >= 4) copy_ends(std::uint32_t{});
    else if (size >= 2) copy_ends(std::uint16_t{});
    else if (size == 1) *to = *from;
    return to + size;
}

/// Appends to a string. While a JsonOutput lives, the string is longer than the text written; the destructor cuts it.
/// A function that does not say otherwise writes into room that `reserve` has made.
class JsonOutput {
public:
    explicit JsonOutput(std::string& out) noexcept : out_{out}, at_{out.data() + out.size()}, end_{at_} {}
    JsonOutput(const JsonOutput&) = delete;
    JsonOutput& operator=(const JsonOutput&) = delete;
    ~JsonOutput() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }

    /// Makes room for `size` bytes.
    void reserve(std::size_t size) {
        if (static_cast<std::size_t>(end_ - at_) < size) grow(size);
    }
    /// Returns where the next byte goes. A caller that writes there itself tells the end to `advance_to`.
    char* at() const noexcept { return at_; }
    void advance_to(char* end) noexcept { at_ = end; }

    void put(char c) noexcept { *at_++ = c; }
    void put(std::string_view text) noexcept { at_ = copy_text(at_, text); }

    /// Appends the lowest `size` bytes of `value`, the highest of them first. Needs room for 8 bytes.
    void put_big_endian(std::uint64_t value, int size) noexcept {
        for (int i = 0; i < size; ++i) at_[i] = static_cast<char>(value >> 8 * (size - 1 - i));
        at_ += size;
    }

private:
    void grow(std::size_t size);

    std::string& out_;
    char* at_;
    char* end_;
};

}  // namespace freshet::detail
