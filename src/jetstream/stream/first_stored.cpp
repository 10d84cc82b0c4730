// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/first_stored.hpp"

#include <algorithm>
#include <optional>

#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"

namespace freshet::detail {

Expected<std::uint64_t> first_stored_since(const JsApi& api, const std::string& stream,
                                           std::chrono::system_clock::time_point time) {
    if (auto valid = check_js_name("stream", stream); !valid) return std::unexpected{valid.error()};
    const auto what = "find the first message since a time in stream " + quoted(stream);
    const auto info = api.call("STREAM.INFO." + stream, what);
    if (!info) return std::unexpected{info.error()};
    const auto state = field<Json>(*info, "state", Json::object());
    // The answer is between these two, both included.
    auto first = std::max<std::uint64_t>(field<std::uint64_t>(state, "first_seq"), 1);
    auto last = field<std::uint64_t>(state, "last_seq") + 1;
    while (first < last) {
        const auto middle = first + (last - first) / 2;
        const auto answer = api.call("STREAM.MSG.GET." + stream, what, {{"seq", middle}, {"next_by_subj", ">"}});
        if (!answer && answer.error().code() != Errc::message_not_found) return std::unexpected{answer.error()};
        const auto message = answer ? field<Json>(*answer, "message", Json::object()) : Json::object();
        const auto stored = parse_rfc3339(field<std::string>(message, "time"));
        if (stored && *stored < time) first = std::max(field<std::uint64_t>(message, "seq"), middle) + 1;
        else last = middle;
    }
    return first;
}

}  // namespace freshet::detail
