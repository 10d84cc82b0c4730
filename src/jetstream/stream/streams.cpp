// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/streams.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "jetstream/api/settings.hpp"
#include "jetstream/stream/stream_config.hpp"
#include "jetstream/stream/stream_declaration.hpp"
#include "jetstream/stream/stream_settings.hpp"

namespace freshet::detail {
namespace {

Json subject_filter(std::string_view subject) {
    auto request = Json::object();
    if (!subject.empty()) request["subject"] = subject;
    return request;
}

/// Names the streams that take some of the subjects, if that is the error: the server does not.
Error with_others(const JsApi& api, const js::Stream& stream, Error error) {
    if (error.code() != Errc::subjects_overlap) return error;
    std::vector<std::string> others;
    for (const auto& subject : stream.subjects) {
        for (auto& name : stream_names(api, subject).value_or(std::vector<std::string>{}))
            if (name != stream.name && std::ranges::find(others, name) == others.end())
                others.push_back(std::move(name));
    }
    if (others.empty()) return error;
    std::string list;
    for (const auto& name : others) list += (list.empty() ? "" : ", ") + quoted(name);
    return {Errc::subjects_overlap,
            fmt::format("declare stream {}: subjects overlap with stream {}; leave these subjects out of one of them",
                        quoted(stream.name), list)};
}

}  // namespace

Expected<js::StreamInfo> to_stream_info(std::string_view what, const Json& answer) {
    try {
        return stream_info_from_json(answer);
    } catch (const Json::exception& error) {
        return failure(Errc::bad_payload, fmt::format("{}: the answer is not as expected: {}", what, error.what()));
    }
}

Expected<js::StreamInfo> declare_stream(const JsApi& api, const js::Stream& stream) {
    const auto what = "declare stream " + quoted(stream.name);
    if (!may_wait()) return std::unexpected{wait_refused(what)};
    auto answer = await_answer<Json>(api.link(), [&](Answered<Json> done) {
        declare_stream_async(api, {.stream = stream, .fresh = stream}, std::move(done));
    });
    if (!answer) return std::unexpected{with_others(api, stream, answer.error())};
    return to_stream_info(what, *answer);
}

Expected<std::vector<js::Difference>> stream_differences(const JsApi& api, const js::Stream& stream) {
    if (auto valid = check_js_name("stream", stream.name); !valid) return std::unexpected{std::move(valid).error()};
    const auto existing = api.call("STREAM.INFO." + stream.name, "look up stream " + quoted(stream.name));
    if (!existing) return std::unexpected{existing.error()};
    const auto config = existing->value("config", Json::object());
    return compare_settings(wanted_settings(stream, config), config, stream_setting_lines());
}

Expected<std::vector<std::string>> stream_names(const JsApi& api, std::string_view subject) {
    std::vector<std::string> names;
    const auto add = [&](Json& name) {
        if (name.is_string()) names.push_back(name);
    };
    if (auto done = api.list("STREAM.NAMES", "list streams", "streams", subject_filter(subject), add); !done)
        return std::unexpected{std::move(done).error()};
    return names;
}

Expected<std::string> stream_of(const JsApi& api, std::string_view subject) {
    auto names = stream_names(api, subject);
    if (!names) return std::unexpected{std::move(names).error()};
    if (names->empty()) {
        return failure(Errc::stream_not_found,
                       fmt::format("no stream stores {}; create one with this subject", quoted(subject)));
    }
    return std::move(names->front());
}

Expected<std::vector<js::StreamInfo>> list_streams(const JsApi& api, std::string_view subject) {
    std::vector<js::StreamInfo> streams;
    Expected<void> converted;
    const auto add = [&](Json& element) {
        auto info = to_stream_info("list streams", element);
        if (info) streams.push_back(*std::move(info));
        else converted = std::unexpected{std::move(info).error()};
    };
    if (auto done = api.list("STREAM.LIST", "list streams", "streams", subject_filter(subject), add); !done)
        return std::unexpected{std::move(done).error()};
    if (!converted) return std::unexpected{std::move(converted).error()};
    return streams;
}

}  // namespace freshet::detail
