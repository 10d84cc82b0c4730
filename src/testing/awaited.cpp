// SPDX-License-Identifier: Apache-2.0
#include "testing/awaited.hpp"

#include <set>

#include <freshet/source_description.hpp>

namespace freshet::detail {
namespace {

/// Returns whether the subject of a subscriber is a pattern over names in a bucket, which no publication can match.
bool watches(const SubscriberCore& subscriber) {
    SourceDescription source;
    subscriber.source().describe(source);
    return source.kind == SourceKind::key_value || source.kind == SourceKind::object_store;
}

}  // namespace

std::string Awaited::key_of(const SubscriberCore& subscriber) {
    const auto& spec = subscriber.spec();
    return spec.options.queue.empty() ? spec.subject : "queue " + spec.options.queue;
}

void Awaited::expect(std::string_view subject) {
    if (subject.starts_with('$')) return;  // of the protocol
    std::set<std::string> groups;          // one member of a queue group gets the message
    const auto subscribers = core_.subscribers();
    const std::lock_guard lock{mutex_};
    for (const auto& subscriber : subscribers) {
        if (!subscriber->subject() || !subscriber->subject()->matches(subject) || subscriber->finished()) continue;
        if (watches(*subscriber)) continue;
        const auto key = key_of(*subscriber);
        if (!subscriber->spec().options.queue.empty() && !groups.insert(key).second) continue;
        ++expected_[key];
    }
}

void Awaited::settled(const SubscriberCore& subscriber) {
    if (watches(subscriber)) return;
    const std::lock_guard lock{mutex_};
    const auto found = expected_.find(key_of(subscriber));
    if (found == expected_.end()) return;
    if (--found->second == 0) expected_.erase(found);
    changed_.notify_all();
}

void Awaited::wait(std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, timeout, [this] { return expected_.empty(); });
    expected_.clear();
}

}  // namespace freshet::detail
