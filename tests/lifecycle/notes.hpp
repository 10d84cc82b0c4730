// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::testing {

/// What a run counts and what it finds wrong. Thread-safe.
class Notes {
public:
    /// Notes a broken promise, as a sentence.
    void broken(std::string what);
    /// Returns the broken promises, and forgets them.
    std::vector<std::string> taken();

    /// Notes a message that the stream has acknowledged.
    void stored(std::string id);
    /// Notes a message of the stream that a handler has had.
    void handled(std::string_view id);
    /// Returns the messages that were stored, and that no handler has had.
    std::vector<std::string> unhandled() const;
    std::size_t stored_count() const;
    /// Blocks until every stored message was handled, or for `timeout`. Returns whether they were.
    bool wait_until_handled(std::chrono::milliseconds timeout);

    std::atomic<std::uint64_t> brokers = 0;
    std::atomic<std::uint64_t> subscribers = 0;
    std::atomic<std::uint64_t> published = 0;
    std::atomic<std::uint64_t> handled_count = 0;
    std::atomic<std::uint64_t> requests = 0;

private:
    bool all_handled() const;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::vector<std::string> broken_ = {};
    std::set<std::string> stored_ = {};
    std::set<std::string, std::less<>> handled_ = {};
};

/// Notes it as broken unless call() was called exactly once before the end.
class Once {
public:
    Once(Notes& notes, const char* what) : notes_{notes}, what_{what} {}
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    ~Once();

    void call() { ++calls_; }

private:
    Notes& notes_;
    const char* what_;
    std::atomic<int> calls_ = 0;
};

/// Counts objects that must all be gone at the end: each holds a token. Thread-safe.
class Living {
public:
    using Token = std::shared_ptr<void>;

    /// Returns the token of an object; `what` says what it is.
    Token token(std::string what);
    /// Blocks until no token is left. After a while it says on stderr what is left.
    void wait_until_gone();

private:
    struct State {
        std::mutex mutex = {};
        std::condition_variable changed = {};
        std::multiset<std::string> left = {};
    };
    const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace freshet::testing
