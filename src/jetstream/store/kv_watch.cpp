// SPDX-License-Identifier: Apache-2.0
#include <freshet/kv/watch.hpp>

#include <limits>
#include <utility>

#include "jetstream/consume/stream_description.hpp"
#include "jetstream/store/kv_bucket.hpp"
#include "jetstream/store/kv_entry.hpp"
#include "jetstream/store/watch_source.hpp"

namespace freshet::detail {
namespace {

void bind_watch(const kv::Watch& watch, const Subject& subject, Binder& binder) {
    if (auto valid = check_bucket(StoreKind::key_value, watch.bucket); !valid)
        return binder.problem(std::string{valid.error().message()});
    try {
        std::ignore = kv_stream(watch.bucket, watch.options, true);
    } catch (const Error& error) { binder.problem(std::string{error.message()}); }
    std::string memory;
    const auto valid = KvCodecs{watch.options.key_codec, nullptr}.stored_filter(subject.wire(), memory);
    if (!valid) binder.problem(std::string{valid.error().message()});
}

void describe_watch(const kv::Watch& watch, SourceDescription& description) {
    description.kind = SourceKind::key_value;
    description.bucket = watch.bucket;
    describe_bucket(
        std::string{kv_stream_prefix} + watch.bucket, watch.options.context,
        [&] { return kv_stream(watch.bucket, watch.options, false); }, description);
}

/// Sets ignore_deletes, for a handler that takes the value and not the entry: a deleted key has no value.
void expect_values(kv::Watch& watch, Binder& binder) {
    watch.ignore_deletes = true;
    if (watch.meta_only)
        binder.problem("its watch says meta_only, so that no value comes; take a kv::Entry<T> in the handler");
}

Expected<WatchSpec> open_watch(const kv::Watch& watch, Link& link, const Subject& subject) {
    return std::make_shared<KvBucket>(link, watch.bucket, watch.options)
        ->watch({subject.wire()}, {.include_history = watch.include_history,
                                   .ignore_deletes = watch.ignore_deletes,
                                   .meta_only = watch.meta_only,
                                   .updates_only = watch.updates_only,
                                   .from_revision = watch.from_revision});
}

}  // namespace

Expected<std::shared_ptr<WatchQueue>> kv_watch(KvBucket& bucket, const std::vector<std::string>& filters,
                                               const kv::WatchOptions& options) {
    return bucket.store().time(StoreOperation::watch).run([&]() -> Expected<std::shared_ptr<WatchQueue>> {
        auto spec = bucket.watch(filters, options);
        if (!spec) return std::unexpected{std::move(spec).error()};
        return WatchQueue::start(bucket.store().link(), *std::move(spec));
    });
}

EntryPlan bind_entry(Binder& binder) {
    if (!binder.carries(typeid(KvRecord)))
        binder.problem("the handler takes kv::Entry, which only a kv::Watch delivers: give one to subscriber()");
    return {};
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

detail::SourceSpec linked_source(Watch watch) {
    constexpr auto unlimited = std::numeric_limits<std::size_t>::max();  // it takes no more than its window
    SubscriberOptions options{.workers = watch.workers,
                              .ordered_by = watch.ordered_by,
                              .dedicated = watch.dedicated,
                              .max_pending_messages = unlimited,
                              .max_pending_bytes = unlimited,
                              .on_lost = watch.on_lost,
                              .about = watch.about};
    const auto held = std::make_shared<Watch>(std::move(watch));
    detail::WatchKind kind{
        .bind = [held](const Subject& subject, Binder& binder) { detail::bind_watch(*held, subject, binder); },
        .open = [held](detail::Link& link, const Subject& subject) { return detail::open_watch(*held, link, subject); },
        .caught_up = held->caught_up,
        .expect_values = [held](Binder& binder) { detail::expect_values(*held, binder); },
        .describe = [held](SourceDescription& description) { detail::describe_watch(*held, description); },
        .record = typeid(detail::KvRecord)};
    return {std::move(options), std::make_unique<detail::WatchSource>(std::move(kind))};
}

}  // namespace freshet::kv
