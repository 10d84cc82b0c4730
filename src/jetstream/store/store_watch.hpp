// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/transport.hpp>

#include "jetstream/consume/ordered.hpp"

namespace freshet::detail {

class Link;

/// Returns a message for a watcher of a bucket. Its subject is the key, or the object's name, so that patterns are over
/// keys. It keeps the payload, the headers, and the reply subject that Message::metadata() reads.
Message watch_message(std::string_view subject, const Message& stored, bool initial);
/// Returns whether the entry existed before the watch began.
bool is_initial(const Message& watch_message);

/// Describes a watch.
struct WatchSpec {
    OrderedOptions ordered = {};
    std::string what = {};  ///< name for the log: `bucket "flags"`
    /// Returns the watch_message of a stored message; an empty one to skip it.
    std::function<Message(const Message& stored, bool initial)> translate = {};
    /// Called once, when all initial messages are handled, on the thread that handled the last one or that feeds.
    std::function<void()> caught_up = {};
    /// Declares the bucket again when the server has lost it; may block. Empty: the watch waits until somebody else
    /// creates it.
    std::function<Expected<void>()> declare = {};
};

/// Feeds a sink with the entries and changes of a bucket. Goes on after restarts of the server and the loss of the
/// bucket.
class StoreWatch {
public:
    /// `link` must outlive the sink's on_end.
    StoreWatch(Link& link, WatchSpec spec, std::shared_ptr<MessageSink> sink);
    StoreWatch(const StoreWatch&) = delete;
    StoreWatch& operator=(const StoreWatch&) = delete;
    ~StoreWatch();

    /// Starts the watch. Blocks for an answer. If it fails, the sink is not called. Call the other functions, except
    /// handled, only after it has succeeded.
    Expected<void> start();
    /// Notes that a message is done with; call it for each message that was fed, from any thread, also before start()
    /// has returned.
    void handled(const Message& message) noexcept;
    void quiesce() noexcept { consumer_->quiesce(); }
    void stop(std::chrono::milliseconds timeout) noexcept { consumer_->stop(timeout); }
    std::size_t pending() const noexcept { return consumer_->pending(); }

private:
    class Feed;

    Link& link_;
    OrderedOptions ordered_;
    std::shared_ptr<Feed> feed_;
    std::unique_ptr<OrderedConsumer> consumer_ = {};
};

/// A watch whose messages wait for the thread that reads them. When too many wait, the server has to wait.
class WatchQueue {
public:
    static Expected<std::unique_ptr<WatchQueue>> start(Link& link, WatchSpec spec);
    WatchQueue(const WatchQueue&) = delete;
    WatchQueue& operator=(const WatchQueue&) = delete;
    ~WatchQueue();

    /// Blocks until a message comes and returns it. Returns nothing when `timeout` has passed, when the watch was
    /// stopped, or, with `until_caught_up`, when it has caught up. Throws Errc::bad_setup where it would block a thread
    /// that brings answers.
    std::optional<Message> next(std::optional<std::chrono::milliseconds> timeout, bool until_caught_up);
    bool caught_up() const;
    void stop() noexcept;

private:
    class Sink;
    WatchQueue(std::shared_ptr<Sink> sink, std::unique_ptr<StoreWatch> watch) noexcept;

    std::shared_ptr<Sink> sink_;
    std::unique_ptr<StoreWatch> watch_;
};

}  // namespace freshet::detail
