// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/js/context_options.hpp>

#include "jetstream/api/json.hpp"
#include "jetstream/api/pins.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// The JetStream API (`$JS.API.>`, JSON) over a broker. Knows no types of streams or consumers, only requests, answers,
/// errors. Thread-safe; blocks for an answer.
class JsApi {
public:
    /// Throws Error(Errc::bad_setup).
    JsApi(Link& link, js::ContextOptions options);

    /// Asks `PREFIX.op` and gives the answer's JSON, or an error that begins with `what`: "create stream \"ORDERS\"".
    /// A null request is sent without a body. Timeout 0: that of the options.
    Expected<Json> call(std::string_view op, std::string_view what, const Json& request = {},
                        std::chrono::milliseconds timeout = {}) const;
    /// The answer as it came, for those that are not JSON, such as a direct get. No responders and timeouts are errors.
    Expected<Message> ask(std::string_view op, std::string_view what, Bytes body = {},
                          std::chrono::milliseconds timeout = {}) const;

    /// Asks page after page, and gives each element of the answers' array `key` to `each`.
    Expected<void> list(std::string_view op, std::string_view what, std::string_view key, Json request,
                        const std::function<void(Json& element)>& each) const;

    /// Errc::server_too_old, naming `feature`, unless the server speaks the API of `version` ("2.11" and later, by the
    /// API level it tells). Each server is asked once.
    Expected<void> needs(std::string_view version, std::string_view feature) const;

    /// The subject of an operation.
    std::string subject(std::string_view op) const { return prefix_ + std::string{op}; }
    Link& link() const noexcept { return link_; }
    const js::ContextOptions& options() const noexcept { return options_; }
    /// What consumers of this context have given this program.
    Pins& pins() const noexcept { return pins_; }

private:
    /// Before 2.11 it is 0.
    Expected<int> level() const;

    Link& link_;
    js::ContextOptions options_;
    std::string prefix_;  // with the dot at its end
    mutable Pins pins_ = {};
};

/// What the server said: `{"code":404,"err_code":10059,"description":"stream not found"}`.
/// Its code where callers can act on it, else Errc::remote with the err_code as remote_code().
Error js_error(std::string_view what, const Json& error);

/// The error for an answer, or for what came in its place, of a request that `what` describes.
Error js_request_error(std::string_view what, std::string_view subject, const Error& error);

/// Parses what the server or another client wrote; discarded if it is no JSON. A fraction below zero, or a number that
/// no 64-bit integer holds, is null: to convert it is undefined.
Json parse_json(std::string_view text);

/// Parses a body of the server's; what is not a JSON object is Errc::bad_payload.
Expected<Json> parse_js_answer(std::string_view what, std::string_view text);

/// json[key], or `fallback` where it is missing or of another type.
template <class T>
T field(const Json& json, const char* key, T fallback = {}) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return fallback;
    try {
        return found->get<T>();
    } catch (const Json::exception&) { return fallback; }
}

/// A name of a stream, consumer, bucket or durable as a token of the API's subjects: Errc::bad_setup if it is empty or
/// has a space, a dot, `*`, `>`, a slash or a control character.
Expected<void> check_js_name(std::string_view kind, std::string_view name);

}  // namespace freshet::detail
