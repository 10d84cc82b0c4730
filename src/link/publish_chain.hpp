// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <freshet/detail/publish_step.hpp>
#include <freshet/transport.hpp>

#include "base/depth_scope.hpp"

namespace freshet::detail {

class Link;

/// Marks, while it lives, that a publish middleware runs on this thread: publications of the middleware pass no
/// middleware.
class PublishScope : public DepthScope<PublishScope> {};

/// Returns true if publish middlewares see the publication. They see none on subjects that begin with `$`, which are
/// the protocol of the server and of its modules.
inline bool passes_middleware(const Publication& publication) noexcept {
    return !publication.subject.starts_with('$') && !PublishScope::inside();
}

/// Sends a publication through `steps`, of which the first is the outermost.
Expected<void> send_through(Link& link, std::span<PublishStep* const> steps, const Publication& publication,
                            std::string_view content_type, Outgoing::Kind kind);

}  // namespace freshet::detail
