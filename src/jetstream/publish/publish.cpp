// SPDX-License-Identifier: Apache-2.0
#include "jetstream/publish/publish.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <freshet/subject.hpp>
#include <freshet/text.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/publish/repeats.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

Expected<std::string> schedule_pattern(std::string_view what, const js::Schedule& schedule) {
    const int kinds = int{schedule.at.has_value()} + int{schedule.every.count() != 0} + int{!schedule.cron.empty()};
    if (kinds != 1)
        return failure(Errc::bad_setup,
                       fmt::format("{}: a schedule needs exactly one of `at`, `every` and `cron`", what));
    if (schedule.target.empty())
        return failure(Errc::bad_setup,
                       fmt::format("{}: a schedule needs a target, a subject of the same stream", what));
    if (!schedule.time_zone.empty() && schedule.cron.empty())
        return failure(Errc::bad_setup, fmt::format("{}: a schedule's `time_zone` is for `cron` only", what));
    if (schedule.at) return "@at " + format_rfc3339(*schedule.at);
    if (schedule.every.count() == 0) return schedule.cron;
    if (schedule.every < seconds{1})
        return failure(Errc::bad_setup, fmt::format("{}: a schedule's interval must be at least 1 s", what));
    return "@every " + duration_header(schedule.every);
}

Expected<void> add_schedule(Headers& headers, std::string_view what, const js::Schedule& schedule) {
    const auto pattern = schedule_pattern(what, schedule);
    if (!pattern) return std::unexpected{pattern.error()};
    headers.set("Nats-Schedule", *pattern).set("Nats-Schedule-Target", schedule.target);
    if (!schedule.source.empty()) headers.set("Nats-Schedule-Source", schedule.source);
    if (!schedule.time_zone.empty()) headers.set("Nats-Schedule-Time-Zone", schedule.time_zone);
    if (schedule.ttl.count() != 0) headers.set("Nats-Schedule-TTL", duration_header(schedule.ttl));
    if (schedule.rollup) headers.set("Nats-Schedule-Rollup", "sub");
    return {};
}

void add_expectations(Headers& headers, const js::PublishOptions& options) {
    const auto set_text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) headers.set(name, value);
    };
    const auto set_number = [&](std::string_view name, const std::optional<std::uint64_t>& value) {
        if (value) headers.set(name, std::to_string(*value));
    };
    set_text("Nats-Msg-Id", options.id);
    set_text("Nats-Expected-Stream", options.expect_stream);
    set_number("Nats-Expected-Last-Sequence", options.expect_last_sequence);
    set_number("Nats-Expected-Last-Subject-Sequence", options.expect_last_subject_sequence);
    set_text("Nats-Expected-Last-Subject-Sequence-Subject", options.expect_last_subject);
    set_text("Nats-Expected-Last-Msg-Id", options.expect_last_id);
}

}  // namespace

std::string duration_header(nanoseconds duration) {
    if (duration == js::never_expires) return "never";
    // Writes whole seconds as such, to keep them short; Go reads "1.5s" and "1500ms" alike.
    if (duration % seconds{1} == nanoseconds{0}) return fmt::format("{}s", duration / seconds{1});
    return fmt::format("{}ns", duration.count());
}

Expected<Headers> publish_headers(std::string_view subject, const js::PublishOptions& options) {
    const auto what = [&] { return "publish to " + detail::quoted(subject); };
    if (!options.expect_last_subject.empty() && !options.expect_last_subject_sequence)
        return failure(Errc::bad_setup, what() + ": expect_last_subject needs expect_last_subject_sequence");
    const auto too_short = [](nanoseconds ttl) { return ttl.count() != 0 && ttl < seconds{1}; };
    if (too_short(options.ttl) || (options.schedule && too_short(options.schedule->ttl)))
        return failure(Errc::bad_setup, what() + ": a TTL must be at least 1 s");
    try {
        auto headers = options.headers;
        add_expectations(headers, options);
        if (options.ttl.count() != 0) headers.set("Nats-TTL", duration_header(options.ttl));
        if (options.schedule) {
            if (auto added = add_schedule(headers, what(), *options.schedule); !added)
                return std::unexpected{std::move(added).error()};
        }
        return headers;
    } catch (const Error& error) { return std::unexpected{Error{error.code(), what() + ": " + error.what()}}; }
}

Need need_of(const js::PublishOptions& options) noexcept {
    if (options.schedule) {
        const auto& schedule = *options.schedule;
        const bool newer = !schedule.at || !schedule.source.empty() || schedule.rollup;
        return newer ? Need{"2.14", "a schedule with every, cron, source or rollup"} : Need{"2.12", "a schedule"};
    }
    if (options.ttl.count() != 0) return {"2.11", "a message's TTL"};
    if (!options.expect_last_subject.empty()) return {"2.11", "expect_last_subject"};
    return {};
}

Expected<void> check_publish_options(const JsApi& api, const js::PublishOptions& options) {
    const auto need = need_of(options);
    if (need.version.empty()) return {};
    return api.needs(need.version, need.feature);
}

bool expects_order(const js::PublishOptions& options) noexcept {
    return options.expect_last_sequence || options.expect_last_subject_sequence || !options.expect_last_id.empty();
}

bool is_unmet(const Error& error) noexcept {
    return error.code() == Errc::wrong_last_sequence || error.code() == Errc::wrong_last_id;
}

void make_question(Headers& headers) {
    for (const auto name : {"Nats-Expected-Last-Sequence", "Nats-Expected-Last-Subject-Sequence",
                            "Nats-Expected-Last-Subject-Sequence-Subject", "Nats-Expected-Last-Msg-Id"})
        headers.erase(name);
    headers.set("Nats-Rollup", "?");
}

bool says_not_stored(const Error& error) noexcept {
    constexpr int bad_rollup = 10'111;
    return error.remote_code() == bad_rollup;
}

std::optional<PlainAck> parse_plain_ack(std::string_view text) noexcept {
    const auto skip = [&](std::string_view expected) {
        if (!text.starts_with(expected)) return false;
        text.remove_prefix(expected.size());
        if (text.starts_with(' ')) text.remove_prefix(1);
        return true;
    };
    if (!skip("{\"stream\":") || !text.starts_with('"')) return std::nullopt;
    text.remove_prefix(1);
    const auto name = text.substr(0, text.find('"'));
    if (name.contains('\\')) return std::nullopt;
    text.remove_prefix(name.size());
    if (!skip("\"") || !skip(",") || !skip("\"seq\":") || !text.ends_with('}')) return std::nullopt;
    text.remove_suffix(1);
    const auto sequence = FromText<std::uint64_t>::parse(text);
    if (!sequence) return std::nullopt;
    return PlainAck{.stream = name, .sequence = *sequence};
}

Expected<js::PublishAck> parse_publish_ack(std::string_view subject, std::string_view text) {
    if (const auto plain = parse_plain_ack(text))
        return js::PublishAck{.stream = std::string{plain->stream}, .sequence = plain->sequence};
    const auto what = "publish to " + detail::quoted(subject);
    const auto json = parse_js_answer(what, text);
    if (json && json->contains("error")) return std::unexpected{js_error(what, (*json)["error"])};
    if (!json || !json->contains("stream")) {
        return failure(
            Errc::bad_payload,
            fmt::format(
                "{}: the answer {} is not a stream's acknowledgement; does a service listen on this subject, too?",
                what, detail::quoted(text)));
    }
    return js::PublishAck{.stream = field<std::string>(*json, "stream"),
                          .sequence = field<std::uint64_t>(*json, "seq"),
                          .duplicate = field<bool>(*json, "duplicate"),
                          .domain = field<std::string>(*json, "domain"),
                          .value = field<std::string>(*json, "val"),
                          .batched = field<std::uint64_t>(*json, "count")};
}

bool is_stream_answer(const Message& message) noexcept {
    const auto text = message.text();
    if (text.empty()) return message.status() != 0;
    return text.starts_with("{\"stream\":") ||
           (text.starts_with('{') && (text.contains("\"stream\":") || text.contains("\"err_code\":")));
}

Expected<js::PublishAck> publish_result(std::string_view subject, const Expected<Message>& reply,
                                        bool others_answered) {
    if (reply) return parse_publish_ack(subject, reply->text());
    const auto& error = reply.error();
    if (error.code() == Errc::no_responders) {
        return failure(
            Errc::no_stream,
            fmt::format("publish to {}: no stream stores this subject, or JetStream is not enabled (nats-server -js); "
                        "create one, or check the subject (in a cluster, its servers may be down)",
                        detail::quoted(subject)));
    }
    if (error.code() == Errc::timeout) {
        return failure(
            Errc::timeout,
            fmt::format("publish to {}: no acknowledgement within the timeout, so the message may be stored or "
                        "not; publish it again with the same PublishOptions::id, and it is stored once{}",
                        detail::quoted(subject),
                        others_answered
                            ? "; a service on this subject answered instead, so create a stream if there is none, "
                              "and set SubscriberOptions::no_reply to keep the service from answering"
                            : ""));
    }
    return std::unexpected{
        Error{error.code(), fmt::format("publish to {}: {}", detail::quoted(subject), error.what())}};
}

Expected<js::PublishAck> publish_and_wait(Link& link, std::string_view subject, const Encoded& encoded,
                                          const RequestOptions& options) {
    if (!may_wait()) return std::unexpected{wait_refused("publish to " + detail::quoted(subject))};
    BlockingReply reply{subject, is_stream_answer};
    const auto clock = link.shared_clock();  // the broker may be destroyed once the answer has come
    if (auto asked = link.request_into(reply, subject, encoded, options); !asked)
        return publish_result(subject, std::unexpected{std::move(asked).error()});
    const auto answer = reply.wait(*clock);
    return publish_result(subject, answer, reply.left_out());
}

bool may_retry(const Error& error, bool has_id) { return passes(error) || (has_id && unanswered(error)); }

namespace {

Expected<js::PublishAck> publish_uncounted(const JsApi& api, std::string_view subject, const Encoded& encoded,
                                           const js::PublishOptions& options) {
    if (!may_publish_on(subject)) return std::unexpected{subject_error(subject, SubjectUse::publish)};
    if (auto able = check_publish_options(api, options); !able) return std::unexpected{std::move(able).error()};
    auto headers = publish_headers(subject, options);
    if (!headers) return std::unexpected{std::move(headers).error()};
    auto& link = api.link();
    auto& clock = link.clock();
    Repeats repeats{api, options};
    RequestOptions request{.headers = *std::move(headers)};
    bool doubtful = false;  // an earlier attempt may have been stored
    std::optional<Error> unmet;
    for (;;) {
        request.timeout = repeats.patience_at(clock.now());
        auto ack = publish_and_wait(link, subject, encoded, request);
        if (ack) return ack;
        if (unmet && says_not_stored(ack.error())) return std::unexpected{*std::move(unmet)};
        doubtful = doubtful || unanswered(ack.error());
        if (doubtful && !unmet && !options.id.empty() && is_unmet(ack.error())) {
            // Perhaps by this very message: servers with one replica look at expectations before they look at ids.
            unmet = ack.error();
            make_question(request.headers);
            continue;
        }
        if (!may_retry(ack.error(), !options.id.empty())) return ack;
        if (!link.is_open() || !repeats.again(clock.now(), options.retry_wait)) return ack;
        pause(clock, options.retry_wait);
    }
}

}  // namespace

Expected<js::PublishAck> publish_stored(const JsApi& api, std::string_view subject, const Encoded& encoded,
                                        const js::PublishOptions& options) {
    const auto counts = api.link().traffic().stream();
    const auto clock = api.link().shared_clock();
    return counts->count(*clock, [&] { return publish_uncounted(api, subject, encoded, options); });
}

}  // namespace freshet::detail
