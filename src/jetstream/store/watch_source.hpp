// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <typeinfo>

#include <freshet/detail/source.hpp>

#include "delivery/start_guard.hpp"
#include "jetstream/store/store_bucket.hpp"
#include "jetstream/store/store_watch.hpp"

namespace freshet::detail {

/// The functions that differ between kinds of watches.
struct WatchKind {
    /// Checks the settings and the pattern, before the broker connects.
    std::function<void(const Subject& subject, Binder& binder)> bind = {};
    /// Opens the bucket and returns what to watch. Blocks; may throw.
    std::function<Expected<WatchSpec>(Link& link, const Subject& subject)> open = {};
    std::function<void()> caught_up = {};
    /// Says that the handler takes values only, so that deletions are not delivered. Called before bind.
    std::function<void(Binder& binder)> expect_values = {};
    /// Tells the bucket and its stream.
    std::function<void(SourceDescription& description)> describe = {};
    /// The type of what each message carries.
    const std::type_info& record;
};

/// Feeds a subscriber from a bucket. Tells the server nothing about how messages were handled.
class WatchSource final : public Source {
public:
    explicit WatchSource(WatchKind kind) : kind_{std::move(kind)} {}

    void expect_bodies(Binder& binder) override {
        if (kind_.expect_values) kind_.expect_values(binder);
    }
    bool carries(const std::type_info& type) const noexcept override { return type == kind_.record; }
    void describe(SourceDescription& description) const override { kind_.describe(description); }
    void bind(const Subject& subject, Binder& binder) override { kind_.bind(subject, binder); }
    Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) override;
    void quiesce() noexcept override;
    void stop(std::chrono::milliseconds timeout) noexcept override;
    void settle(Message message, const Handled&) noexcept override { watch_->handled(message); }
    bool answerable() const noexcept override { return false; }
    std::size_t pending() const noexcept override;
    std::uint64_t dropped() const noexcept override { return 0; }

private:
    WatchKind kind_;
    std::unique_ptr<StoreWatch> watch_ = {};  // set by start(); may be stopped once the guard runs
    StartGuard guard_ = {};
};

}  // namespace freshet::detail
