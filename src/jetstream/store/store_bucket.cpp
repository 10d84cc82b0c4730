// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/store_bucket.hpp"

#include <string_view>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

std::string_view prefix_of(StoreKind kind) noexcept { return kind == StoreKind::object ? "OBJ_" : "KV_"; }

std::string describe(StoreKind kind, std::string_view name) {
    return (kind == StoreKind::object ? "object store " : "bucket ") + detail::quoted(name);
}

}  // namespace

StoreBucket::StoreBucket(Link& link, StoreSpec spec)
    : spec_{std::move(spec)}, what_{describe(spec_.kind, spec_.name)}, jetstream_{link, spec_.context} {
    value_or_raise(check_bucket(spec_.kind, spec_.name));
}

std::string StoreBucket::stream_name() const { return std::string{prefix_of(spec_.kind)} + spec_.name; }

Expected<std::shared_ptr<const js::StreamInfo>> StoreBucket::ready() {
    const std::lock_guard lock{mutex_};  // one thread declares, the others wait for it
    if (info_ != nullptr) return info_;
    auto declared = declare();
    if (!declared) return std::unexpected{explain(declared.error())};
    info_ = std::make_shared<const js::StreamInfo>(*std::move(declared));
    return info_;
}

void StoreBucket::ready_if_running() {
    if (link().is_open()) value_or_raise(ready());
}

Expected<void> StoreBucket::declare_again() {
    forget(nullptr);
    if (auto declared = ready(); !declared) return std::unexpected{declared.error()};
    return {};
}

/// Forgets the stream if it is still `info`, which was found to be wrong; null: whatever is known.
void StoreBucket::forget(const std::shared_ptr<const js::StreamInfo>& info) {
    const std::lock_guard lock{mutex_};
    if (info == nullptr || info_ == info) info_ = nullptr;
}

Expected<js::StreamInfo> StoreBucket::declare() const {
    switch (spec_.declare) {
        case js::Declare::never: return stream().try_info();
        case js::Declare::create_if_missing: return jetstream_.try_declare(spec_.stream(true));
        default: return compare();
    }
}

/// Declares the bucket: compares an existing one only with the user's settings, and gives a new one the defaults too.
Expected<js::StreamInfo> StoreBucket::compare() const {
    auto declared = jetstream_.try_differences(spec_.stream(false));
    if (declared || declared.error().code() != Errc::stream_not_found)
        return jetstream_.try_declare(spec_.stream(false));
    auto fresh = spec_.stream(true);
    fresh.declare = js::Declare::create_if_missing;
    return jetstream_.try_declare(fresh);
}

Error StoreBucket::explain(const Error& error) const {
    if (error.code() != Errc::stream_not_found) return {error.code(), what_ + ": " + std::string{error.message()}};
    return {Errc::stream_not_found, what_ + " does not exist: create it, or declare it with create_if_missing"};
}

Error StoreBucket::why(const Error& error) const {
    if (error.code() != Errc::timeout) return error;
    const auto info = stream().try_info();
    return info ? error : info.error();
}

bool StoreBucket::is_lost(const Error& error) noexcept {
    return error.code() == Errc::no_responders || error.code() == Errc::no_jetstream ||
           error.code() == Errc::stream_not_found;
}

Expected<js::StreamInfo> StoreBucket::info() {
    auto info = with_stream([&](const js::StreamInfo&) { return stream().try_info(); });
    if (!info) return std::unexpected{explain(info.error())};
    return info;
}

Expected<void> StoreBucket::remove() {
    auto removed = stream().try_remove();
    forget(nullptr);
    if (!removed) return std::unexpected{explain(removed.error())};
    return removed;
}

Expected<std::vector<std::string>> store_names(Link& link, StoreKind kind, const js::ContextOptions& context) {
    const std::string_view subject = kind == StoreKind::object ? "$O.*.C.>" : "$KV.*.>";
    auto streams = js::JetStream{link, context}.try_stream_names(subject);
    if (!streams) return streams;
    std::vector<std::string> names;
    for (auto& stream : *streams)
        if (stream.starts_with(prefix_of(kind))) names.push_back(stream.substr(prefix_of(kind).size()));
    return names;
}

}  // namespace freshet::detail
