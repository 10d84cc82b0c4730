// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/error.hpp>
#include <freshet/js/context_options.hpp>

#include "base/wait.hpp"
#include "jetstream/api/json.hpp"
#include "jetstream/api/pins.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// Gets what a question without waiting came to: once, on the threads that Client::async names.
template <class T>
using Answered = std::move_only_function<void(Expected<T>)>;

/// Calls `start(Answered<T>)` and blocks until the answer is there.
template <class T, class Start>
Expected<T> await_answer(Link& link, Start&& start) {
    struct State {
        std::binary_semaphore ended{0};
        std::optional<Expected<T>> result = {};
    };
    const auto state = std::make_shared<State>();  // the other thread may still be at it when this one goes on
    const auto clock = link.shared_clock();
    start([state](Expected<T> result) {
        state->result = std::move(result);
        state->ended.release();
    });
    if (!run_until(*clock, TimePoint::max(), [&] { return state->ended.try_acquire(); })) state->ended.acquire();
    return *std::move(state->result);
}

/// The JetStream API (`$JS.API.>`, JSON) over a broker. Knows requests, answers and errors, but no types of streams or
/// consumers. Thread-safe; functions that ask block for the answer.
class JsApi {
public:
    /// Throws Error(Errc::bad_setup) when the options are contradictory or cannot begin a subject.
    JsApi(Link& link, js::ContextOptions options);

    /// Sends a request to `PREFIX.op` and returns the answer's JSON, or an error whose text begins with `what`: "create
    /// stream \"ORDERS\"". Sends a null request without a body. Timeout 0: that of the options.
    Expected<Json> call(std::string_view op, std::string_view what, const Json& request = {},
                        std::chrono::milliseconds timeout = {}) const;
    /// Does what call() does without blocking. `done` must not throw; this may be gone when it is called.
    void call_async(std::string_view op, std::string_view what, const Json& request, Answered<Json> done) const;
    /// Sends a request and returns the answer as it came, for answers that are not JSON, such as that of a direct get.
    /// No responders and timeouts are errors.
    Expected<Message> ask(std::string_view op, std::string_view what, Bytes body = {},
                          std::chrono::milliseconds timeout = {}) const;

    /// Asks for one page after the other, and calls `each` with each element of the answers' array `key`.
    Expected<void> list(std::string_view op, std::string_view what, std::string_view key, Json request,
                        const std::function<void(Json& element)>& each) const;

    /// Errc::server_too_old, naming `feature`, unless the server speaks the API of `version` ("2.11" and later, by
    /// the API level it tells). Each server is asked until it answers; as long as it does not, as when permissions
    /// deny the question, it passes for one that speaks it.
    Expected<void> needs(std::string_view version, std::string_view feature) const;
    /// Whether needs() knows without asking.
    bool knows_level() const;
    /// Gives the API level without blocking; `done` as for call_async.
    void level_async(Answered<int> done) const;

    /// Returns the subject of an operation.
    std::string subject(std::string_view op) const { return prefix_ + std::string{op}; }
    Link& link() const noexcept { return link_; }
    const js::ContextOptions& options() const noexcept { return options_; }
    /// Returns the pins that consumers of this context have given to this program.
    Pins& pins() const noexcept { return pins_; }
    /// Returns what keep() has stored under a name; null if nothing.
    std::shared_ptr<void> kept(const std::string& name) const {
        const std::lock_guard lock{mutex_};
        const auto found = kept_.find(name);
        return found == kept_.end() ? nullptr : found->second;
    }
    /// Keeps an object alive as long as this lives.
    void keep(const std::string& name, std::shared_ptr<void> object) const {
        const std::lock_guard lock{mutex_};
        kept_.insert_or_assign(name, std::move(object));
    }

private:
    /// Returns the API level of the server; 0 before 2.11.
    Expected<int> level() const;
    bool may_ask_level(const std::optional<TimePoint>& asked) const;
    std::string level_key() const { return link_.server().id + ' ' + prefix_; }

    Link& link_;
    js::ContextOptions options_;
    std::string prefix_;  // with the dot at its end
    mutable Pins pins_ = {};
    mutable std::mutex mutex_ = {};
    mutable std::map<std::string, std::shared_ptr<void>> kept_ = {};
};

/// Errc::server_too_old, naming `feature`, if `level` is not that of `version`.
Expected<void> check_level(int level, std::string_view version, std::string_view feature);

/// Whether a cluster that elects a leader, or a server that is overloaded, gives this error for a moment: nothing was
/// done, and the same request may succeed soon.
bool passes(const Error& error) noexcept;

/// Returns the error for the server's `{"code":404,"err_code":10059,"description":"stream not found"}`: with an Errc of
/// its own if callers can act on it, else Errc::remote with the err_code as remote_code().
Error js_error(std::string_view what, const Json& error);

/// Returns the error for a request that failed before the server answered it; `what` describes the request.
Error js_request_error(std::string_view what, std::string_view subject, const Error& error);

/// Parses JSON that the server or another client wrote; the result is_discarded() if it is no JSON. Makes a number null
/// if it has a fraction and is negative, or if no 64-bit integer holds it: its conversion to an integer would be
/// undefined.
Json parse_json(std::string_view text);

/// Parses a body of the server's; returns Errc::bad_payload if it is not a JSON object.
Expected<Json> parse_js_answer(std::string_view what, std::string_view text);

/// Returns json[key], or `fallback` if it is missing or has another type.
template <class T>
T field(const Json& json, const char* key, T fallback = {}) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return fallback;
    try {
        return found->get<T>();
    } catch (const Json::exception&) { return fallback; }
}

/// Checks the name of a stream, consumer, bucket or durable, which becomes a token of the API's subjects. Returns
/// Errc::bad_setup if it is empty or has a space, a dot, `*`, `>`, a slash or a control character.
Expected<void> check_js_name(std::string_view kind, std::string_view name);

}  // namespace freshet::detail
