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

/// Reads the changes of an object store in a program without handlers: first the objects that exist, then each change,
/// in order. It goes on after lost connections and restarts of the server. Move-only. Used by one thread at a time, but
/// stop() may be called from any. Must not outlive its broker. Functions throw Errc::bad_payload for an invalid
/// description; you may go on reading then.
class Watcher {
public:
    explicit Watcher(std::unique_ptr<detail::WatchQueue> queue) noexcept;
    Watcher(Watcher&&) noexcept;
    Watcher& operator=(Watcher&&) noexcept;
    ~Watcher();

    /// Blocks until a description comes and returns it; returns nothing when the watch was stopped.
    std::optional<Info> next();
    /// Blocks until a description comes and returns it; returns nothing when `timeout` has passed or the watch was
    /// stopped.
    std::optional<Info> next(std::chrono::milliseconds timeout);

    /// Returns the objects that existed when the watch began and that you have not read yet, and beside them the errors
    /// of descriptions that could not be read. Blocks until all have come.
    Infos initial();
    /// Returns whether you have read all objects that existed when the watch began. The next ones are changes.
    bool caught_up() const;

    /// Ends the watch: next() returns nothing from now on. May be called from any thread.
    void stop() noexcept;

private:
    std::unique_ptr<detail::WatchQueue> queue_;
};

}  // namespace freshet::obj
