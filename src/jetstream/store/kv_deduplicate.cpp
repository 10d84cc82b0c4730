// SPDX-License-Identifier: Apache-2.0
#include <freshet/kv/deduplicate.hpp>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/kv/kv.hpp>

#include "delivery/confirmations.hpp"
#include "delivery/subscriber_core.hpp"
#include "jetstream/store/digest.hpp"
#include "middleware/duplicates.hpp"

namespace freshet::kv {
namespace {

constexpr std::chrono::seconds least_time{1};  // the least TTL, see ADR-43
constexpr std::string_view claimed = "claimed";
constexpr std::string_view handled = "handled";

/// Returns the key for a message's id: a digest, because an id may contain characters that a key may not.
std::string key_of(const Context& context, const Message& message, std::string_view id) {
    const auto& spec = detail::ContextAccess::subscriber(context).spec();
    const auto metadata = message.metadata();
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
    /// The right of this process to handle a message.
    struct Claim {
        std::string id = {};
        std::string key = {};
        std::uint64_t revision = 0;
    };
    /// Turns the claim into the record of the id, or removes it. Does so only if the claim has not expired, because it
    /// may be another process's then. Logs a failure.
    void conclude(Context& context, const Claim& claim, const Outcome& outcome) const {
        const auto kept = outcome == Outcome::ack ? bucket_.try_update(claim.key, std::string{handled}, claim.revision)
                                                  : bucket_.try_erase(claim.key, {.revision = claim.revision});
        if (kept) return;
        log(context, "the message with the id " + claim.id + " may be handled once more", kept.error());
    }

    static void log(Context& context, const std::string& what, const Error& why) {
        detail::ContextAccess::subscriber(context).log_failure(context, detail::FailureLog::Kind::not_settled, what,
                                                               why, LogLevel::warn);
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
    if (const auto* const items = context.get<Items>()) return handle_batch(context, std::move(next), *items);
    const auto id = context.message().header(state_->header());
    if (!id) return next(context);
    const auto key = key_of(context, context.message(), *id);
    const auto claim = state_->claim(key);
    if (!claim) {
        if (claim.error().code() != Errc::already_exists) return context.fail(claim.error());
        const auto before = state_->was_handled(key);
        if (!before) return context.fail(before.error());
        return *before ? detail::handled_before(context, *id) : detail::being_handled(context, *id);
    }
    auto outcome = next(context);
    auto known = outcome;
    if (const auto confirmations = detail::confirmations_of(context);
        confirmations != nullptr && outcome == Outcome::ack)
        if (!confirmations->wait(context.clock(), TimePoint::max())) known = Outcome::nack();
    state_->conclude(context, {.id = std::string{*id}, .key = key, .revision = *claim}, known);
    return outcome;
}

Outcome Deduplicate::handle_batch(Context& context, Next next, const Items& items) const {
    std::vector<Item*> left;
    std::vector<std::pair<Item*, State::Claim>> claims;
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto& item = items[i];
        const auto id = item.message().header(state_->header());
        if (id) {
            State::Claim claim{.id = std::string{*id}, .key = key_of(context, item.message(), *id)};
            const auto claimed = state_->claim(claim.key);
            if (!claimed) {
                const auto before = claimed.error().code() == Errc::already_exists
                                        ? state_->was_handled(claim.key)
                                        : Expected<bool>{std::unexpected{claimed.error()}};
                if (before && *before) item.ack();
                else item.nack(detail::pause_while_handled);
                if (!before)
                    State::log(context, "the message with the id " + std::string{*id} + " comes again", before.error());
                continue;
            }
            claim.revision = *claimed;
            claims.emplace_back(&item, std::move(claim));
        }
        left.push_back(&item);
    }
    if (left.empty()) return Outcome::ack;
    detail::narrow_batch(context, std::move(left));
    auto outcome = next(context);
    for (const auto& [item, claim] : claims)
        state_->conclude(context, claim, detail::is_acked(*item, outcome) ? Outcome{Outcome::ack} : Outcome::nack());
    return outcome;
}

}  // namespace freshet::kv
