// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <freshet/detail/publish_step.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {

class Link;

/// While it lives, what this thread publishes passes no middleware: it is one that publishes.
class PublishScope {
public:
    PublishScope() noexcept { ++depth_; }
    PublishScope(const PublishScope&) = delete;
    PublishScope& operator=(const PublishScope&) = delete;
    ~PublishScope() { --depth_; }

    static bool inside() noexcept { return depth_ > 0; }

private:
    static inline thread_local int depth_ = 0;
};

/// Whether publish middlewares see it: subjects that begin with `$` are the protocol of the server and of its modules.
inline bool passes_middleware(const Publication& publication) noexcept {
    return !publication.subject.starts_with('$') && !PublishScope::inside();
}

/// Sends a publication through `steps`, the first of them outermost.
Expected<void> send_through(Link& link, std::span<PublishStep* const> steps, const Publication& publication,
                            std::string_view content_type, Outgoing::Kind kind);

}  // namespace freshet::detail
