// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/dead_letter.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/stream/streams.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view mark = "Dead-Letter-";

/// Returns where a dead letter is, from the answer that confirmed it.
std::string kept_where(std::string_view subject, const nlohmann::json& answer) {
    const bool stored = answer.is_object() && answer.contains("stream") && answer["stream"].is_string() &&
                        answer.contains("seq") && answer["seq"].is_number_unsigned();
    if (!stored) return fmt::format("and a subscriber of {} took the dead letter", quoted(subject));
    return fmt::format("and its dead letter is message {} of stream {}", answer["seq"].get<std::uint64_t>(),
                       quoted(answer["stream"].get<std::string>()));
}

}  // namespace

Headers dead_letter_headers(const Message& message, const Metadata& metadata, std::string_view why, LetterSize size) {
    Headers headers;
    for (const auto& [name, value] : size == LetterSize::bare ? Headers{} : message.headers()) {
        if (!Headers::check(name, value)) continue;  // was received, but cannot be sent
        headers.add(name.starts_with("Nats-") ? std::string{mark} + name : name, value);
    }
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(metadata.time.time_since_epoch()).count();
    headers.set("Nats-Msg-Id",
                fmt::format("dead.{}.{}.{}.{}", metadata.stream, metadata.consumer, metadata.stream_sequence, time));
    headers.set("Dead-Letter-Reason", header_text(why));
    headers.set("Dead-Letter-Subject", message.subject());
    headers.set("Dead-Letter-Stream", metadata.stream);
    headers.set("Dead-Letter-Consumer", metadata.consumer);
    headers.set("Dead-Letter-Sequence", std::to_string(metadata.stream_sequence));
    headers.set("Dead-Letter-Deliveries", std::to_string(metadata.deliveries));
    headers.set("Dead-Letter-Time", format_rfc3339(metadata.time));
    if (size != LetterSize::whole) headers.set("Dead-Letter-Payload-Size", std::to_string(message.payload().size()));
    return headers;
}

Expected<void> declare_dead_letters(const JsApi& api, const js::Retry& retry) {
    const auto& name = retry.dead_letter_stream.name();
    if (name.empty()) return {};
    auto stream = declare_stream_of(api, retry.dead_letter_stream);
    if (stream && !*stream) {
        const auto what = "look up stream " + quoted(name) + ", retry.dead_letter_stream";
        const auto answer = api.call("STREAM.INFO." + name, what);
        if (!answer) return std::unexpected{answer.error()};
        stream = to_stream_info(what, *answer);
    }
    if (!stream) return std::unexpected{stream.error()};
    const auto& subjects = (*stream)->config.subjects;
    if (std::ranges::any_of(subjects, [&](const auto& one) { return covers(one, retry.dead_letter); })) return {};
    return failure(Errc::bad_setup,
                   fmt::format("retry.dead_letter is {}, which stream {} (retry.dead_letter_stream) does not store: it "
                               "stores {}",
                               quoted(retry.dead_letter), quoted(name),
                               subjects.empty() ? "no subject" : fmt::format("{}", fmt::join(subjects, ", "))));
}

Expected<std::string> check_dead_letter_answer(std::string_view subject, const Expected<Message>& answer) {
    if (!answer && answer.error().code() == Errc::no_responders) {
        return failure(
            Errc::no_responders,
            fmt::format(
                "no stream stores the dead letters on {}, and no subscriber listens there; create a stream for them",
                quoted(subject)));
    }
    if (!answer && answer.error().code() == Errc::timeout) {
        return failure(
            Errc::timeout,
            fmt::format(
                "nobody confirmed the dead letter on {}; let a stream store the subject, or its subscriber answer",
                quoted(subject)));
    }
    if (!answer) return std::unexpected{answer.error()};
    const auto json = nlohmann::json::parse(answer->text(), nullptr, false);
    if (!json.is_object() || !json.contains("error")) return kept_where(subject, json);
    const auto& error = json["error"];
    const bool described = error.is_object() && error.contains("description") && error["description"].is_string();
    constexpr int too_large = 10'054;  // for the stream's max_msg_size
    const bool never = error.is_object() && error.contains("err_code") && error["err_code"] == too_large;
    return failure(never ? Errc::payload_too_large : Errc::remote,
                   fmt::format("the dead letter on {} was refused: {}", quoted(subject),
                               described ? error["description"].get<std::string>() : error.dump()));
}

}  // namespace freshet::detail
