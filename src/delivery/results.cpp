// SPDX-License-Identifier: Apache-2.0
#include "delivery/results.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <freshet/detail/subject_tokens.hpp>

#include "base/quoted.hpp"
#include "link/link.hpp"

namespace freshet::detail {

void Results::bind(const std::vector<std::string>& targets, const Subject& subject, Binder& binder) {
    targets_.clear();
    for (const auto& text : targets) {
        auto parsed = SubjectTemplate::parse(text);
        if (!parsed) {
            binder.problem("publish_to: " + std::string{parsed.error().message()});
            continue;
        }
        Target target{*std::move(parsed)};
        for (const auto& name : target.subject.names()) {
            const auto token = subject.token_of(name);
            if (!token)
                binder.problem("publish_to " + quoted(text) + " names {" + name + "}, which the subject does not have");
            target.tokens.push_back(token.value_or(0));
        }
        targets_.push_back(std::move(target));
    }
}

Expected<void> Results::publish(Link& link, const Message& incoming, const Encoded& encoded,
                                const Headers* headers) const {
    for (const auto& target : targets_) {
        if (auto sent = publish(link, target, incoming, encoded, headers); !sent) return sent;
    }
    return {};
}

Expected<void> Results::publish(Link& link, const Target& target, const Message& incoming, const Encoded& encoded,
                                const Headers* headers) {
    constexpr std::size_t inline_values = 8;
    std::array<std::string_view, inline_values> few;
    std::vector<std::string_view> many;
    std::span<std::string_view> values{few.data(), std::min(target.tokens.size(), inline_values)};
    if (target.tokens.size() > inline_values) {
        many.resize(target.tokens.size());
        values = many;
    }
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = token_at(incoming.subject(), target.tokens[i]);
    const BufferLease subject;
    if (auto formatted = target.subject.format(subject->string(), values); !formatted) return formatted;
    return link.send({.subject = subject->text(), .payload = encoded.body, .headers = headers}, encoded.content_type);
}

}  // namespace freshet::detail
