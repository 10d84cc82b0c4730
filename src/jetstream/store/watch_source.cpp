// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/watch_source.hpp"

#include <utility>

namespace freshet::detail {

Expected<void> WatchSource::start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    try {
        auto spec = kind_.open(link, subject);
        if (!spec) return std::unexpected{std::move(spec).error()};
        spec->caught_up = kind_.caught_up;
        watch_ = std::make_unique<StoreWatch>(link, *std::move(spec), std::move(sink));
        if (auto started = watch_->start(); !started) {
            watch_ = nullptr;  // it keeps the subscriber, which keeps this source
            return started;
        }
        const auto asked = guard_.begun();
        if (asked.quiesce) watch_->quiesce();
        if (asked.stop) watch_->stop(*asked.stop);
        return {};
    } catch (const Error& error) { return std::unexpected{error}; }
}

void WatchSource::quiesce() noexcept {
    if (guard_.quiesce()) watch_->quiesce();
}

void WatchSource::stop(std::chrono::milliseconds timeout) noexcept {
    if (guard_.stop(timeout)) watch_->stop(timeout);
}

std::size_t WatchSource::pending() const noexcept { return guard_.running() ? watch_->pending() : 0; }

}  // namespace freshet::detail
