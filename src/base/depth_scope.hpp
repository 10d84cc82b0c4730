// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

namespace freshet::detail {

/// The base of a scope that marks, while it lives, what its thread does. Scopes of one kind nest; `Kind` is the class
/// that derives from this one.
template <class Kind>
class DepthScope {
public:
    DepthScope() noexcept { ++depth_; }
    DepthScope(const DepthScope&) = delete;
    DepthScope& operator=(const DepthScope&) = delete;
    ~DepthScope() { --depth_; }

    /// Returns true if this thread is in a scope of this kind.
    static bool inside() noexcept { return depth_ > 0; }

    /// Takes this thread out of all scopes of this kind, while it lives.
    class Outside {
    public:
        Outside() noexcept : depth_{std::exchange(DepthScope::depth_, 0)} {}
        Outside(const Outside&) = delete;
        Outside& operator=(const Outside&) = delete;
        ~Outside() { DepthScope::depth_ = depth_; }

        /// Returns the number of scopes that the thread was in.
        std::ptrdiff_t depth() const noexcept { return depth_; }

    private:
        std::ptrdiff_t depth_;
    };

private:
    static constinit inline thread_local std::ptrdiff_t depth_ = 0;
};

}  // namespace freshet::detail
