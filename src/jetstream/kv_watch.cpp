// SPDX-License-Identifier: Apache-2.0
#include <freshet/kv/watch.hpp>

#include <utility>

#include "kv_bucket.hpp"
#include "kv_entry.hpp"
#include "watch_source.hpp"

namespace freshet::detail {
namespace {

void bind_watch(const kv::Watch& watch, const Subject& subject, Binder& binder) {
    if (auto valid = check_bucket(StoreKind::key_value, watch.bucket); !valid)
        return binder.problem(std::string{valid.error().message()});
    try {
        std::ignore = kv_stream(watch.bucket, watch.options, true);
    } catch (const Error& error) { binder.problem(std::string{error.message()}); }
    if (auto valid = check_key_filter(subject.wire()); !valid) binder.problem(std::string{valid.error().message()});
}

Expected<WatchSpec> open_watch(const kv::Watch& watch, BrokerCore& core, const Subject& subject) {
    return std::make_shared<KvBucket>(core, watch.bucket, watch.options)
        ->watch({subject.wire()}, {.include_history = watch.include_history,
                                   .ignore_deletes = watch.ignore_deletes,
                                   .meta_only = watch.meta_only,
                                   .updates_only = watch.updates_only,
                                   .from_revision = watch.from_revision});
}

}  // namespace

Expected<std::shared_ptr<WatchQueue>> kv_watch(KvBucket& bucket, const std::vector<std::string>& filters,
                                               const kv::WatchOptions& options) {
    auto spec = bucket.watch(filters, options);
    if (!spec) return std::unexpected{std::move(spec).error()};
    return WatchQueue::start(bucket.store().core(), *std::move(spec));
}

std::optional<KvRecord> kv_next(WatchQueue& queue, std::optional<std::chrono::milliseconds> timeout,
                                bool until_caught_up) {
    auto message = queue.next(timeout, until_caught_up);
    if (!message) return std::nullopt;
    auto record = read_watched(*message);
    record.message = *std::move(message);
    return record;
}

bool watch_caught_up(const WatchQueue& queue) { return queue.caught_up(); }
void stop_watch(WatchQueue& queue) noexcept { queue.stop(); }

}  // namespace freshet::detail

namespace freshet::kv {

detail::SourceSpec make_source(Watch watch) {
    SubscriberOptions options{.workers = watch.workers, .ordered_by = watch.ordered_by, .dedicated = watch.dedicated};
    detail::WatchKind kind{
        .bind = [watch](const Subject& subject, Binder& binder) { detail::bind_watch(watch, subject, binder); },
        .open = [watch](detail::BrokerCore& core,
                        const Subject& subject) { return detail::open_watch(watch, core, subject); },
        .caught_up = watch.caught_up};
    return {std::move(options), std::make_unique<detail::WatchSource>(std::move(kind))};
}

}  // namespace freshet::kv
