// SPDX-License-Identifier: Apache-2.0
#include <freshet/kv/deduplicate.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

#include <freshet/kv/kv.hpp>

#include "delivery/subscriber_core.hpp"
#include "jetstream/store/digest.hpp"
#include "middleware/duplicates.hpp"

namespace freshet::kv {
namespace {

constexpr std::chrono::seconds least_time{1};  // the least TTL, see ADR-43
constexpr std::string_view claimed = "claimed";
constexpr std::string_view handled = "handled";

/// Returns the key for a message's id: a digest, because an id may contain characters that a key may not.
std::string key_of(const Context& context, std::string_view id) {
    const auto& spec = detail::ContextAccess::subscriber(context).spec();
    const auto metadata = context.message().metadata();
    std::string text;
    const auto add = [&](std::string_view part) { text.append(part).push_back('\0'); };
    if (metadata) add(metadata->stream), add(metadata->consumer);
    else add(spec.subject), add(spec.options.queue);
    text.append(id);
    detail::Sha256 digest;
    digest.add(as_bytes(text));
    auto key = digest.finish();
    return key.substr(key.find('=') + 1);
}

Options bucket_options(const DeduplicateOptions& options) {
    return {.description = "Messages that were handled, for freshet::kv::Deduplicate",
            .ttl = options.window,
            .limit_markers = least_time};
}

}  // namespace

class Deduplicate::State {
public:
    State(Broker& broker, std::string bucket, DeduplicateOptions options)
        : options_{std::move(options)}, bucket_{broker.kv<std::string>(std::move(bucket), bucket_options(options_))} {}

    const std::string& header() const noexcept { return options_.header; }

    /// Claims a key and returns the claim's revision. Errc::already_exists if the message was claimed or handled.
    Expected<std::uint64_t> claim(std::string_view key) const {
        return bucket_.try_create(key, std::string{claimed}, {.ttl = options_.claim});
    }
    Expected<bool> was_handled(std::string_view key) const {
        auto entry = bucket_.try_get(key);
        if (!entry) return std::unexpected{std::move(entry).error()};
        return *entry && (*entry)->value == handled;
    }
    /// Turns the claim into the record of the id, or removes it. Does so only if the claim has not expired, because it
    /// may be another process's then.
    Expected<std::uint64_t> conclude(std::string_view key, std::uint64_t revision, const Outcome& outcome) const {
        if (outcome == Outcome::ack) return bucket_.try_update(key, std::string{handled}, revision);
        return bucket_.try_erase(key, {.revision = revision});
    }

private:
    const DeduplicateOptions options_;
    const Kv<std::string> bucket_;
};

Deduplicate::Deduplicate(Broker& broker, std::string bucket, DeduplicateOptions options) {
    if (options.window < least_time || options.claim < least_time)
        raise({Errc::bad_setup, "kv::Deduplicate: `window` and `claim` must be a second or more"});
    state_ = std::make_shared<State>(broker, std::move(bucket), std::move(options));
}

Outcome Deduplicate::operator()(Context& context, Next next) const {
    const auto id = context.message().header(state_->header());
    if (!id) return next(context);
    const auto key = key_of(context, *id);
    const auto claim = state_->claim(key);
    if (!claim) {
        if (claim.error().code() != Errc::already_exists) return context.fail(claim.error());
        const auto before = state_->was_handled(key);
        if (!before) return context.fail(before.error());
        return *before ? detail::handled_before(context, *id) : detail::being_handled(context, *id);
    }
    auto outcome = next(context);
    if (const auto kept = state_->conclude(key, *claim, outcome); !kept)
        detail::ContextAccess::subscriber(context).log_failure(
            context, detail::FailureLog::Kind::not_settled,
            "the message with the id " + std::string{*id} + " may be handled once more", kept.error(), LogLevel::warn);
    return outcome;
}

}  // namespace freshet::kv
