// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <freshet/detail/publish_step.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {

class Link;

/// Marks, while it lives, that a publish middleware runs on this thread: publications of the middleware pass no
/// middleware.
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

/// Returns true if publish middlewares see the publication. They see none on subjects that begin with `$`, which are
/// the protocol of the server and of its modules.
inline bool passes_middleware(const Publication& publication) noexcept {
    return !publication.subject.starts_with('$') && !PublishScope::inside();
}

/// Sends a publication through `steps`, of which the first is the outermost.
Expected<void> send_through(Link& link, std::span<PublishStep* const> steps, const Publication& publication,
                            std::string_view content_type, Outgoing::Kind kind);

}  // namespace freshet::detail
