// SPDX-License-Identifier: Apache-2.0
// The functions behind the templates of kv::Kv.
#include <utility>

#include <freshet/broker.hpp>
#include <freshet/kv/kv.hpp>

#include "jetstream/store/kv_bucket.hpp"

namespace freshet::detail {

std::shared_ptr<KvBucket> open_kv(Link& link, std::string bucket, const kv::Options& options) {
    auto opened = std::make_shared<KvBucket>(link, std::move(bucket), options);
    opened->store().ready_if_running();
    return opened;
}

std::string_view kv_name(const KvBucket& bucket) noexcept { return bucket.store().name(); }
Link& kv_link(const KvBucket& bucket) noexcept { return bucket.store().link(); }

namespace {

StoreOperation operation_of(const KvWrite& write) noexcept {
    if (write.operation == kv::Operation::erase) return StoreOperation::erase;
    if (write.operation == kv::Operation::purge) return StoreOperation::purge;
    return write.expected ? StoreOperation::update : StoreOperation::put;
}

}  // namespace

Expected<std::optional<KvRecord>> kv_get(KvBucket& bucket, std::string_view key, std::uint64_t revision) {
    return bucket.store().time(StoreOperation::get).run([&] { return bucket.get(key, revision); });
}
Expected<std::uint64_t> kv_write(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write) {
    return bucket.store().time(operation_of(write)).run([&] { return bucket.write(key, encoded, write); });
}
void kv_write_async(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write,
                    KvWritten done) {
    bucket.write_async(key, encoded, write,
                       [timer = bucket.store().time(operation_of(write)),
                        done = std::move(done)](Expected<std::uint64_t> revision) mutable {
                           if (revision) timer.succeed();
                           done(std::move(revision));
                       });
}
void kv_get_async(KvBucket& bucket, std::string_view key, KvFound done) {
    bucket.get_async(key, [timer = bucket.store().time(StoreOperation::get),
                           done = std::move(done)](Expected<std::optional<KvRecord>> found) mutable {
        if (found) timer.succeed();
        done(std::move(found));
    });
}
Expected<std::uint64_t> kv_create(KvBucket& bucket, std::string_view key, const Encoded& encoded,
                                  std::chrono::nanoseconds ttl) {
    return bucket.store().time(StoreOperation::create).run([&] { return bucket.create(key, encoded, ttl); });
}
Expected<void> kv_scan(KvBucket& bucket, const KvScan& scan, const std::function<bool(KvRecord)>& each) {
    return bucket.store().time(StoreOperation::list).run([&] { return bucket.scan(scan, each); });
}
void kv_left_out(KvBucket& bucket, const Error& error) {
    bucket.store().link().report(FailureLog::Kind::left_out, "a value is left out", error, LogLevel::warn);
}
Expected<std::uint64_t> kv_purge_deletes(KvBucket& bucket, const kv::PurgeDeletesOptions& options) {
    return bucket.store().time(StoreOperation::purge).run([&] { return bucket.purge_deletes(options); });
}
Expected<kv::Status> kv_status(KvBucket& bucket) {
    return bucket.store().time(StoreOperation::status).run([&] { return bucket.status(); });
}
Expected<void> kv_remove(KvBucket& bucket) { return bucket.store().remove(); }

}  // namespace freshet::detail

namespace freshet::kv {

std::vector<std::string> bucket_names(Broker& broker, const js::ContextOptions& context) {
    return value_or_raise(detail::store_names(broker.link(), detail::StoreKind::key_value, context));
}

}  // namespace freshet::kv
