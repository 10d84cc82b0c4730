// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/watch_source.hpp"

#include <utility>

namespace freshet::detail {

Expected<void> WatchSource::start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) {
    try {
        auto spec = kind_.open(link, subject);
        if (!spec) return std::unexpected{std::move(spec).error()};
        spec->caught_up = kind_.caught_up;
        auto watch = StoreWatch::start(link, *std::move(spec), std::move(sink));
        if (!watch) return std::unexpected{std::move(watch).error()};
        const std::lock_guard lock{mutex_};
        watch_ = *std::move(watch);
        return {};
    } catch (const Error& error) { return std::unexpected{error}; }
}

StoreWatch* WatchSource::watch() const noexcept {
    const std::lock_guard lock{mutex_};
    return watch_.get();
}

void WatchSource::quiesce() noexcept {
    if (auto* watch = this->watch()) watch->quiesce();
}

void WatchSource::stop(std::chrono::milliseconds timeout) noexcept {
    if (auto* watch = this->watch()) watch->stop(timeout);
}

std::size_t WatchSource::pending() const noexcept {
    const auto* watch = this->watch();
    return watch == nullptr ? 0 : watch->pending();
}

}  // namespace freshet::detail
