// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/obj/info.hpp>

namespace freshet::detail {
class WatchQueue;
}

namespace freshet::obj {

/// A watch that is read: first the objects there are, then each change, in order. It survives lost connections and restarts of
/// the server. Move-only; one thread at a time, but stop() may be called from any. Must not outlive its broker. Throws
/// Errc::bad_payload for a description that is none; reading may go on then.
class Watcher {
public:
    explicit Watcher(std::unique_ptr<detail::WatchQueue> queue) noexcept;
    Watcher(Watcher&&) noexcept;
    Watcher& operator=(Watcher&&) noexcept;
    ~Watcher();

    /// The next description; nothing when the watch was stopped. Blocks.
    std::optional<Info> next();
    /// The same; nothing also when `timeout` has passed.
    std::optional<Info> next(std::chrono::milliseconds timeout);

    /// The objects that there were at first, as far as they were not read yet. Blocks until all are there.
    std::vector<Info> initial();
    /// Whether all of those have been read: what follows are changes.
    bool caught_up() const;

    /// Ends the watch: next() returns nothing.
    void stop() noexcept;

private:
    std::unique_ptr<detail::WatchQueue> queue_;
};

}  // namespace freshet::obj
