// SPDX-License-Identifier: Apache-2.0
#include <freshet/services.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include <freshet/detail/core.hpp>
#include <freshet/detail/service_grammar.hpp>
#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "service/service_messages.hpp"

namespace freshet {
namespace detail {
namespace {

const ServiceId& service_in(const ServiceId& service) noexcept { return service; }
template <class Answer>
const ServiceId& service_in(const Answer& answer) noexcept {
    return answer.service;
}

/// Returns what is wrong with the words of a question; nothing if nothing is.
std::optional<Error> mistake(const std::string& subject, std::string_view name, std::string_view id) {
    const auto bad = [&](const std::string& why) { return Error{Errc::bad_setup, "services: " + why}; };
    if (!name.empty() && !is_service_name(name))
        return bad("no service has the name " + quoted(name) + "; a name has letters, digits, '-' and '_'");
    if (name.empty() && !id.empty()) return bad("an id needs the name of the service before it");
    if (check_subject(subject) != SubjectFault::none) return bad("nobody can be asked on " + quoted(subject));
    return std::nullopt;
}

template <class Answer>
Expected<std::vector<Answer>> ask(Link& link, const DiscoveryOptions& options, Question question, std::string_view name,
                                  std::string_view id, std::optional<Answer> (*from)(const Json&)) {
    const auto subject = question_subject(options.prefix, question, name, id);
    if (auto wrong = mistake(subject, name, id)) return std::unexpected{*std::move(wrong)};
    const auto queue = request_many(
        link, subject, {},
        {.timeout = options.timeout, .stall = options.stall, .max_replies = id.empty() ? std::size_t{0} : 1});
    std::vector<Answer> answers;
    while (auto reply = queue->next()) {
        if (!*reply) {
            if (reply->error().code() == Condition::no_responders) break;
            if (reply->error().code() == Condition::remote) continue;
            return std::unexpected{std::move(*reply).error()};
        }
        const auto json = Json::parse(as_text((*reply)->payload()), nullptr, false);
        if (auto answer = from(json)) answers.push_back(*std::move(answer));
    }
    std::ranges::sort(answers, {},
                      [](const Answer& one) { return std::tie(service_in(one).name, service_in(one).id); });
    return answers;
}

}  // namespace
}  // namespace detail

Expected<std::vector<ServiceId>> Services::try_ping(std::string_view name, std::string_view id) const {
    return detail::ask(*link_, options_, detail::Question::ping, name, id, &detail::service_id_from);
}
Expected<std::vector<ServiceInfo>> Services::try_info(std::string_view name, std::string_view id) const {
    return detail::ask(*link_, options_, detail::Question::info, name, id, &detail::service_info_from);
}
Expected<std::vector<ServiceStats>> Services::try_stats(std::string_view name, std::string_view id) const {
    return detail::ask(*link_, options_, detail::Question::stats, name, id, &detail::service_stats_from);
}

}  // namespace freshet
