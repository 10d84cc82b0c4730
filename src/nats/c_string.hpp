// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace freshet::detail::nats {

/// A copy of a text with the NUL that cnats needs. Short texts, such as most subjects and header names, are on the
/// stack.
class CString {
public:
    explicit CString(std::string_view text) {
        if (text.size() < short_.size()) {
            if (!text.empty()) std::memcpy(short_.data(), text.data(), text.size());
            short_[text.size()] = '\0';
            text_ = short_.data();
        } else {
            long_ = text;
            text_ = long_.c_str();
        }
    }
    CString(const CString&) = delete;
    CString& operator=(const CString&) = delete;
    ~CString() = default;

    const char* c_str() const noexcept { return text_; }

private:
    const char* text_;
    std::array<char, 256> short_;  // not initialized: it is written where it is used
    std::string long_ = {};
};

}  // namespace freshet::detail::nats
