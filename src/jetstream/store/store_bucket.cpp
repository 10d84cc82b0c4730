// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/store_bucket.hpp"

#include <string_view>

#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "jetstream/stream/stream_declaration.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet::detail {
namespace {

std::string_view prefix_of(StoreKind kind) noexcept { return kind == StoreKind::object ? "OBJ_" : "KV_"; }

std::string describe(StoreKind kind, std::string_view name) {
    return (kind == StoreKind::object ? "object store " : "bucket ") + detail::quoted(name);
}

}  // namespace

bool StoreBucket::may_be_electing(const Error& error) noexcept {
    return error == Errc::timeout || error == Errc::no_jetstream;
}

StoreBucket::StoreBucket(Link& link, StoreSpec spec)
    : spec_{std::move(spec)}, what_{describe(spec_.kind, spec_.name)}, jetstream_{link, spec_.context} {
    value_or_raise(check_bucket(spec_.kind, spec_.name));
    counts_ = link.traffic().store(spec_.kind == StoreKind::object ? "object" : "kv", spec_.name);
}

std::string StoreBucket::stream_name() const { return std::string{prefix_of(spec_.kind)} + spec_.name; }

StoreBucket::Ready StoreBucket::ready() {
    if (auto info = known()) return info;
    if (!may_wait()) return std::unexpected{wait_refused("declare " + what_)};
    return await_answer<std::shared_ptr<const js::StreamInfo>>(link(), [this](auto done) {
        when_ready([done = std::move(done)](const Ready& ready) mutable { done(ready); });
    });
}

void StoreBucket::when_ready(Then then) {
    {
        std::unique_lock lock{known_->mutex};
        if (known_->info != nullptr && !known_->declaring) {
            const Ready ready = known_->info;
            lock.unlock();
            return then(ready);
        }
        known_->waiting.push_back(std::move(then));
        if (std::exchange(known_->declaring, true)) return;  // one thread declares, the others wait for it
    }
    try {
        declare_for_all();
    } catch (...) { settle(*known_, link(), std::unexpected{exception_error()}); }
}

void StoreBucket::declare_for_all() {
    declare([known = known_, api = jetstream_.api(), what = what_](Expected<Json> answer) {
        auto& link = api->link();
        if (!answer) return settle(*known, link, std::unexpected{explain(what, answer.error())});
        auto info = to_stream_info("declare " + what, *answer);
        if (!info) return settle(*known, link, std::unexpected{info.error()});
        settle(*known, link, std::make_shared<const js::StreamInfo>(*std::move(info)));
    });
}

/// Tells everybody who waits; those that come meanwhile wait their turn, so that writes stay in the order of their
/// calls.
void StoreBucket::settle(Known& known, Link& link, const Ready& ready) noexcept {
    std::unique_lock lock{known.mutex};
    if (ready) known.info = *ready;
    do {
        auto waiting = std::exchange(known.waiting, {});
        // Who asks again after an error begins anew.
        if (!ready) known.declaring = false;
        lock.unlock();
        for (auto& then : waiting) {
            try {
                then(ready);
            } catch (...) {
                link.report(FailureLog::Kind::callback_threw, "the function that got an answer threw",
                            exception_error());
            }
        }
        waiting.clear();
        lock.lock();
    } while (ready && !known.waiting.empty());
    if (!ready) return;
    known.declaring = false;
    known.clustered = in_cluster(**ready);
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
    const std::lock_guard lock{known_->mutex};
    if (info == nullptr || known_->info == info) known_->info = nullptr;
}

/// Declares the bucket: compares an existing one only with the user's settings, and gives a new one the defaults too.
void StoreBucket::declare(Answered<Json> done) const {
    if (spec_.declare == js::Declare::never)
        return api().call_async("STREAM.INFO." + stream_name(), "look up " + what_, {}, std::move(done));
    declare_stream_async(api(), {.stream = spec_.stream(false), .fresh = spec_.stream(true)}, std::move(done));
}

bool StoreBucket::takes_ids(const js::StreamInfo& info) const noexcept {
    // The first attempt and the last one each wait for their answers beside the time for repeats.
    const auto& window = info.config.duplicate_window;
    return in_cluster(info) && !info.config.mirror && window && *window > election_time + 2 * api().options().timeout;
}

bool StoreBucket::may_repeat(Election& election, const Ready& info, const Error& error, Repeat repeat) {
    if (info && is_lost(error)) {
        forget(*info);
        // Declared anew, it may be there. If it is and nobody answers all the same, a leader is missing.
        if (election.first()) return true;
    } else if (!info) {
        // The leader of all streams may be elected, too.
        if (!(election.begun() || clustered()) || !may_be_electing(error)) return false;
    } else if (!passes(error) && (!unanswered(error) || (repeat == Repeat::by_id && !takes_ids(**info)))) {
        return false;
    }
    return ((info && in_cluster(**info)) || election.begun() || clustered()) && election.wait();
}

Error StoreBucket::explain(const std::string& what, const Error& error) {
    if (error.code() != Errc::stream_not_found) return {error.code(), what + ": " + std::string{error.message()}};
    return {Errc::stream_not_found, what + " does not exist; create it, or declare it with Declare::create_if_missing"};
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
    auto info = with_stream(Repeat::harmless, [&](const js::StreamInfo&) { return stream().try_info(); });
    if (!info) return std::unexpected{explain(what_, info.error())};
    return info;
}

Expected<void> StoreBucket::remove() {
    auto removed = stream().try_remove();
    forget(nullptr);
    if (!removed) return std::unexpected{explain(what_, removed.error())};
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
