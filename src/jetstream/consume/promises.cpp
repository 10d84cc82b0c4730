// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/promises.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quoted.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_settings.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

bool gives_up(const js::Retry& retry) { return retry.max_attempts > 0 || !retry.dead_letter.empty(); }

/// Returns why the consumer's max_deliver breaks the subscriber's attempts; empty if it does not.
std::string broken_by_max_deliver(const js::Retry& retry, std::int64_t max_deliver) {
    if (max_deliver <= 0) return {};
    const auto most = static_cast<std::uint64_t>(max_deliver);
    if (retry.max_attempts > most) {
        return fmt::format(
            "its max_deliver is {}, so that retry.max_attempts {} is never reached and a message is gone "
            "without a dead letter; set max_deliver to 0, or to more than max_attempts",
            most, retry.max_attempts);
    }
    if (retry.max_attempts > 0 || retry.dead_letter.empty()) return {};
    return fmt::format("its max_deliver is {}, after which a message that fails is gone without a dead letter; set "
                       "retry.max_attempts to less, or max_deliver to 0",
                       most);
}

std::string broken_by_acks(const Promises& promises, std::string_view acks) {
    const auto& settlement = promises.settlement;
    const auto policy = settlement.policy();
    if (acks == "none") {
        const bool asked_for = promises.consumer.acks == js::Acks::none;
        const bool needless = policy == AckPolicy::ack || policy == AckPolicy::ack_first;
        if (!gives_up(settlement.retry()) && (asked_for || needless)) return {};
        return "its ack_policy is none, so that a message that fails does not come again and becomes no dead letter; "
               "use a consumer with explicit acknowledgements, or Acks::none without retry.max_attempts and "
               "dead_letter";
    }
    if (acks == "flow_control") {
        return "its ack_policy is flow_control, so that it serves a stream that copies this one, and handlers cannot "
               "acknowledge: use another consumer";
    }
    if (acks != "all") return {};
    const bool one_by_one = policy == AckPolicy::ack && promises.workers <= 1;
    if (policy == AckPolicy::ack_first || policy == AckPolicy::manual || one_by_one) return {};
    return "its ack_policy is all, so that the next message that succeeds acknowledges one that failed, or is still "
           "handled; use a consumer with explicit acknowledgements, or AckPolicy::manual";
}

void add(std::vector<std::string>& all, std::string text) {
    if (!text.empty()) all.push_back(std::move(text));
}

bool may_loop(const Promises& promises, const Subject& subject) {
    const auto& dead_letter = promises.settlement.retry().dead_letter;
    return !dead_letter.empty() && subject.matches(dead_letter);
}

Expected<void> check_all_delivered(const std::string& who, const Promises& promises, const Subject& subject,
                                   const std::vector<std::string>& filters) {
    if (filters.empty() || promises.adopted) return {};
    auto wanted = promises.consumer.filter_subjects;
    if (wanted.empty()) wanted.emplace_back(subject.wire());
    for (const auto& one : wanted) {
        if (std::ranges::any_of(filters, [&](const auto& filter) { return covers(filter, one); })) continue;
        return failure(Errc::settings_differ,
                       fmt::format("{} delivers {} only, not all of {}; use another durable, or Declare::reconcile",
                                   who, fmt::join(filters, ", "), detail::quoted(one)));
    }
    return {};
}

}  // namespace

std::vector<std::string> broken_promises(const Promises& promises, const Json& config) {
    std::vector<std::string> broken;
    add(broken, broken_by_max_deliver(promises.settlement.retry(), field<std::int64_t>(config, "max_deliver")));
    add(broken, broken_by_acks(promises, field<std::string>(config, "ack_policy")));
    if (promises.bodies && field<bool>(config, "headers_only")) {
        broken.emplace_back("its headers_only delivers no payloads, and the handler takes the body; take a Message, or "
                            "use a consumer without headers_only");
    }
    return broken;
}

std::vector<std::string> weak_promises(const Promises& promises, const Json& config) {
    std::vector<std::string> weak;
    const auto max_deliver = field<std::int64_t>(config, "max_deliver");
    const auto& retry = promises.settlement.retry();
    if (max_deliver > 0 && promises.consumer.max_deliver != max_deliver) {
        weak.push_back(fmt::format(
            "its max_deliver is {}, after which the server drops a message without telling anybody{}", max_deliver,
            retry.max_attempts == 0 ? "; set retry.max_attempts to less"
                                    : ", also one that was given back at each stop"));
    } else if (max_deliver > 0 && retry.max_attempts == static_cast<std::uint64_t>(max_deliver)) {
        weak.push_back(fmt::format(
            "its max_deliver is {}, as many as retry.max_attempts: a message that was given back at a stop counts as "
            "delivered, so it is gone before its last attempt{}; set max_deliver to 0, or to more than max_attempts",
            max_deliver, retry.dead_letter.empty() ? "" : ", without a dead letter"));
    }
    const auto pending = field<std::int64_t>(config, "max_ack_pending");
    if (pending > 0 && static_cast<std::size_t>(pending) < promises.workers) {
        weak.push_back(fmt::format("its max_ack_pending is {}, so that some of the {} workers have nothing to do",
                                   pending, promises.workers));
    }
    const auto threshold = field<std::int64_t>(config, "inactive_threshold");
    const bool durable = !field<std::string>(config, "durable_name").empty();
    if (durable && threshold > 0 && promises.consumer.inactive_threshold.count() == 0) {
        weak.push_back(
            fmt::format("its inactive_threshold is {} s: when no program has used it for so long, the server "
                        "removes it, and a new one begins anew",
                        threshold / std::nano::den));
    }
    return weak;
}

bool filters_need_stream(const Promises& promises, const Subject& subject, const Json& config) {
    return filters_of(config).empty() || may_loop(promises, subject);
}

Expected<void> check_filters(const std::string& who, const Promises& promises, const Subject& subject,
                             const Json& config, const js::StreamInfo* stream) {
    auto filters = filters_of(config);
    const auto told = filters;
    const auto stored = stream != nullptr ? stream->config.subjects : std::vector<std::string>{};
    if (filters.empty()) filters = stored;
    for (const auto& filter : filters) {
        if (covers(subject.wire(), filter)) continue;
        return failure(Errc::settings_differ,
                       fmt::format("{} delivers {}, which the subscriber's subject {} does not match; use another "
                                   "durable, or Declare::reconcile",
                                   who, detail::quoted(filter), detail::quoted(subject.pattern())));
    }
    if (auto all = check_all_delivered(who, promises, subject, told); !all) return all;
    if (stored.empty()) return {};
    const auto is_stored = [&](std::string_view filter) {
        return std::ranges::any_of(stored, [&](const auto& one) { return overlap(filter, one); });
    };
    // Messages that the stream copies from other streams, or renames, can have other subjects.
    const bool as_published = !stream->config.transform && stream->config.sources.empty();
    for (const auto& filter : filters) {
        if (!as_published || is_stored(filter)) continue;
        return failure(Errc::bad_setup, fmt::format("{} would never deliver anything: the stream stores {}, and no {}",
                                                    who, fmt::join(stored, ", "), detail::quoted(filter)));
    }
    const auto& dead_letter = promises.settlement.retry().dead_letter;
    if (!may_loop(promises, subject) || !is_stored(dead_letter)) return {};
    return failure(Errc::bad_setup,
                   fmt::format("{}: retry.dead_letter {} is a subject that it delivers itself, so that a "
                               "dead letter would be given up again, for ever; choose another one",
                               who, detail::quoted(dead_letter)));
}

}  // namespace freshet::detail
