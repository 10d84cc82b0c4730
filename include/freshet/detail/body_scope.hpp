// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <freshet/message.hpp>

namespace freshet::detail {

/// Gives a message another payload while this object lives. A NUL must follow the payload.
class BodyScope {
public:
    BodyScope(Message& message, Bytes body) noexcept
        : message_{message}, arrived_{std::exchange(message.payload_, body)} {}
    BodyScope(const BodyScope&) = delete;
    BodyScope& operator=(const BodyScope&) = delete;
    ~BodyScope() { message_.payload_ = arrived_; }

private:
    Message& message_;
    const Bytes arrived_;
};

}  // namespace freshet::detail
