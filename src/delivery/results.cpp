// SPDX-License-Identifier: Apache-2.0
#include "delivery/results.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <freshet/detail/subject_tokens.hpp>

#include "base/quoted.hpp"
#include "delivery/confirmer.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

/// Returns the pattern of all subjects that a template makes, in the server's form.
std::string pattern_of(const SubjectTemplate& subject) {
    std::string pattern;
    std::string_view rest = subject.pattern();
    while (!rest.empty()) {
        const auto token = rest.substr(0, rest.find('.'));
        rest.remove_prefix(std::min(token.size() + 1, rest.size()));
        if (!pattern.empty()) pattern.push_back('.');
        pattern.append(token.starts_with('{') ? "*" : token);
    }
    return pattern;
}

}  // namespace

void Results::bind(const std::vector<ResultTarget>& targets, const Subject& subject, Stored stored, Traffic& traffic,
                   Binder& binder) {
    targets_.clear();
    for (const auto& [text, options] : targets) {
        auto parsed = SubjectTemplate::parse(text);
        if (!parsed) {
            binder.problem("publish_to: " + std::string{parsed.error().message()});
            continue;
        }
        Target target{.subject = *std::move(parsed),
                      .counts = &traffic.publisher(text),
                      .confirm = options.confirm,
                      .headers = options.headers};
        if (options.headers.contains("Nats-Msg-Id")) {
            binder.problem(
                "publish_to " + quoted(text) +
                " has the header \"Nats-Msg-Id\", the same for every result, so that a stream would store only "
                "the first; leave it out, or set it in the Response of each result");
        }
        for (const auto& name : target.subject.names()) {
            const auto token = subject.token_of(name);
            if (!token)
                binder.problem("publish_to " + quoted(text) + " names {" + name + "}, which the subject does not have");
            target.tokens.push_back(token.value_or(0));
        }
        if (options.confirm.value_or(false) && stored == Stored::no) {
            binder.problem("publish_to " + quoted(text) +
                           " has confirm = true, which is for subscribers with js::Pull or js::Push: the messages of "
                           "this one are not acknowledged, so no confirmation can be waited for");
        }
        targets_.push_back(std::move(target));
    }
}

Expected<void> Results::look_up(Confirmer& confirmer, Logger& logger, const std::string& who) {
    for (auto& target : targets_)
        if (auto found = look_up(target, confirmer, logger, who); !found) return found;
    return {};
}

Expected<void> Results::look_up(Target& target, Confirmer& confirmer, Logger& logger, const std::string& who) {
    if (!target.confirm.value_or(true)) return {};
    const bool required = target.confirm.has_value();
    const auto pattern = pattern_of(target.subject);
    const auto what = fmt::format("subscriber {}: publish_to {}", quoted(who), quoted(target.subject.pattern()));
    const auto stored = confirmer.stored_of(pattern);
    if (!stored) {
        target.all_stored = required;
        logger.warn("{}: cannot look up which stream stores {}, so its results are published {}: {}", what,
                    quoted(pattern),
                    required ? "as if one did, and fail if none confirms them"
                             : "without confirmation, and may be lost. Set .confirm to true if a stream stores it, to "
                               "false if none does",
                    stored.error().what());
        return {};
    }
    target.all_stored = std::ranges::any_of(*stored, [&](const auto& one) { return covers(one, pattern); });
    if (target.all_stored) return {};
    if (stored->empty() && required) {
        return failure(Errc::stream_not_found,
                       fmt::format("{}: no stream stores {} and acknowledges, which .confirm = true asks for: create "
                                   "one with this subject, or leave .confirm out",
                                   what, quoted(pattern)));
    }
    if (stored->empty()) {
        logger.warn("{}: no stream stores {} and acknowledges, so its results are published without confirmation, and "
                    "may be lost: create a stream with this subject, or set .confirm = false if that is meant",
                    what, quoted(pattern));
        return {};
    }
    // Two streams may share the subjects, or the others are for core subscribers.
    target.all_stored = required;
    for (const auto& one : *stored)
        if (auto parsed = Subject::parse(one)) target.stored.push_back(*std::move(parsed));
    if (!required) {
        logger.info("{}: streams store only {} of {}: results on other subjects are published without confirmation",
                    what, fmt::join(*stored, ", "), quoted(pattern));
    }
    return {};
}

bool Results::confirms(const Target& target, std::string_view subject) noexcept {
    return target.all_stored ||
           std::ranges::any_of(target.stored, [&](const auto& pattern) { return pattern.matches(subject); });
}

Expected<void> Results::publish(Link& link, const Message& incoming, const Encoded& encoded,
                                const Headers* headers) const {
    for (const auto& target : targets_) {
        auto sent = publish_to(target, incoming, headers, [&](std::string_view subject, const Headers* all) {
            return send(link, target, subject, encoded, all);
        });
        if (!sent) return sent;
    }
    return {};
}

Headers Results::joined(const Headers& of_target, const Headers* own) {
    Headers all = of_target;
    if (own == nullptr) return all;
    for (const auto& [name, value] : *own) all.erase(name);
    for (const auto& [name, value] : *own) all.add(name, value);
    return all;
}

Expected<void> Results::fill(const Target& target, const Message& incoming, std::string& subject) {
    constexpr std::size_t few = 4;
    const auto take = [&](std::span<std::string_view> values) {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = token_at(incoming.subject(), target.tokens[i]);
        return target.subject.format(subject, values);
    };
    if (const auto count = target.tokens.size(); count <= few) {
        std::array<std::string_view, few> values;
        return take({values.data(), count});
    }
    std::vector<std::string_view> values(target.tokens.size());
    return take(values);
}

Expected<void> Results::send(Link& link, const Target& target, std::string_view subject, const Encoded& encoded,
                             const Headers* headers) {
    return link.send_counted(*target.counts, {.subject = subject, .payload = encoded.body, .headers = headers},
                             encoded.content_type);
}

}  // namespace freshet::detail
