// SPDX-License-Identifier: Apache-2.0
#include "jetstream/api/api.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "base/error_state.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "link/request_group.hpp"

namespace freshet::detail {
namespace {

std::string make_prefix(const js::ContextOptions& options) {
    if (!options.domain.empty() && !options.prefix.empty()) {
        throw Error{Errc::bad_setup, "JetStream context: both domain " + detail::quoted(options.domain) +
                                         " and prefix " + detail::quoted(options.prefix) + " are set; leave one out"};
    }
    auto prefix = !options.prefix.empty()   ? options.prefix
                  : !options.domain.empty() ? "$JS." + options.domain + ".API"
                                            : std::string{"$JS.API"};
    if (prefix.ends_with('.')) prefix.pop_back();
    if (check_subject(prefix) != SubjectFault::none) {
        throw Error{Errc::bad_setup,
                    "JetStream context: " + detail::quoted(prefix) +
                        " cannot begin the subjects of JetStream's API; a domain is one token, a prefix has "
                        "no spaces, wildcards or empty tokens"};
    }
    return prefix + '.';
}

struct KnownError {
    int err_code;
    Errc code;
    const char* advice;  // empty: the server's description is enough
};

// The errors of the server (errors.json) on which a program can act.
constexpr std::array known_errors{
    KnownError{10002, Errc::limit_reached, "delete something, or raise the account's limits"},
    KnownError{10013, Errc::consumer_exists, "choose another name, or delete the consumer"},
    KnownError{10014, Errc::consumer_not_found, "create it, or check its name and the stream's"},
    KnownError{10023, Errc::limit_reached, "the server is out of memory or storage"},
    KnownError{10026, Errc::limit_reached, "delete consumers, or raise max_consumers"},
    KnownError{10027, Errc::limit_reached, "delete streams, or raise the account's limits"},
    KnownError{10028, Errc::limit_reached, "free memory, or raise the server's limits"},
    KnownError{10037, Errc::message_not_found, ""},
    KnownError{10039, Errc::no_jetstream, "enable JetStream for this account"},
    KnownError{10043, Errc::message_not_found, ""},
    KnownError{10047, Errc::limit_reached, "free storage, or raise the server's limits"},
    KnownError{10054, Errc::payload_too_large, "raise the stream's max_msg_size"},
    KnownError{10058, Errc::stream_exists, "it has other settings; Declare::verify names the differences"},
    KnownError{10059, Errc::stream_not_found, "create it, or check its name and the domain"},
    KnownError{10060, Errc::wrong_stream, "the subject belongs to another stream than expected"},
    KnownError{10063, Errc::wrong_last_sequence, "another writer was faster; read again and retry"},
    KnownError{10065, Errc::subjects_overlap, "another stream takes some of these subjects"},
    KnownError{10070, Errc::wrong_last_id, "another writer was faster; read again and retry"},
    KnownError{10071, Errc::wrong_last_sequence, "another writer was faster; read again and retry"},
    KnownError{10076, Errc::no_jetstream, "start nats-server with JetStream (-js)"},
    KnownError{10077, Errc::limit_reached, "the stream is full, or its storage failed"},
    KnownError{10105, Errc::consumer_exists, "another program uses it; choose another name, or share it"},
    KnownError{10148, Errc::consumer_exists, "it has other settings; Declare::verify names the differences"},
    KnownError{10149, Errc::consumer_not_found, "create it, or check its name and the stream's"},
    KnownError{10164, Errc::wrong_last_sequence, "another writer was faster; read again and retry"},
    KnownError{10166, Errc::bad_setup, "set the stream's allow_msg_ttl"},
    KnownError{10168, Errc::bad_setup, "set allow_msg_counter when the stream is created"},
    KnownError{10169, Errc::bad_setup, "a stream of counters takes increments only"},
    KnownError{10174, Errc::batch_refused, "set the stream's allow_atomic"},
    KnownError{10175, Errc::batch_refused, ""},
    KnownError{10176, Errc::batch_refused,
               "messages were lost, or more than 10 s passed between two; send the batch again"},
    KnownError{10177, Errc::batch_refused,
               "expect_last_id, and expect_last_sequence after the first message, are not for batches"},
    KnownError{10179, Errc::batch_refused, ""},
    KnownError{10185, Errc::server_too_old, "upgrade the server"},
    KnownError{10188, Errc::bad_setup, "set the stream's allow_msg_schedules"},
    KnownError{10199, Errc::batch_refused, "split the batch"},
    KnownError{10200, Errc::batch_refused, ""},
    KnownError{10201, Errc::batch_refused, "a message of this id is stored already"},
    KnownError{10210, Errc::batch_refused, "commit others first"},
};
static_assert(std::ranges::is_sorted(known_errors, {}, &KnownError::err_code));

const KnownError* find_known(int err_code) {
    const auto found = std::ranges::lower_bound(known_errors, err_code, {}, &KnownError::err_code);
    return found != known_errors.end() && found->err_code == err_code ? &*found : nullptr;
}

/// Returns the API level that came with a server version, as the server's jetstream_versioning.go lists it.
int level_of(std::string_view version) {
    constexpr std::array<std::pair<std::string_view, int>, 4> levels{
        {{"2.11", 1}, {"2.12", 2}, {"2.14", 4}, {"2.15", 5}}};
    const auto found = std::ranges::find(levels, version, [](const auto& entry) { return entry.first; });
    return found != levels.end() ? found->second : levels.back().second;
}

constexpr int unknown_level = 1'000;
constexpr std::string_view level_question = "ask for the server's API level";

// The server's err_codes that say to try again: unavailable for the moment, no leader, this id is being stored, too
// many requests.
constexpr std::array passing_errors{10008, 10009, 10158, 10163, 10167};

/// Remembers the API level of each server. A server gets a new id when it is started again, perhaps as a newer version.
class Levels {
public:
    struct Known {
        std::optional<int> level = {};
        std::optional<TimePoint> asked = {};  // without an answer
    };

    Known find(const std::string& server) const {
        const std::lock_guard lock{mutex_};
        const auto found = levels_.find(server);
        return found == levels_.end() ? Known{} : found->second;
    }
    void set(const std::string& server, int level) {
        const std::lock_guard lock{mutex_};
        levels_[server].level = level;
    }
    void set_asked(const std::string& server, TimePoint when) {
        const std::lock_guard lock{mutex_};
        levels_[server].asked = when;
    }

private:
    mutable std::mutex mutex_ = {};
    std::map<std::string, Known> levels_ = {};
};

Levels& levels() {
    static auto& all = *new Levels;  // never destroyed: a static broker may go later
    return all;
}

/// The level in an answer, which is kept. Errc::timeout: there was none.
Expected<int> told_level(const std::string& server, const Expected<Json>& info) {
    if (!info) return std::unexpected{info.error()};
    const int level = field<int>(field<Json>(*info, "api", Json::object()), "level");
    levels().set(server, level);
    return level;
}

// A question that had no answer in time is asked again, but not for long, and not before its timeout has passed once
// more.
constexpr std::chrono::milliseconds second_patience{250};

/// Bodies that are not UTF-8 are replaced: the server would refuse them, and a dump that throws helps nobody.
std::string body_of(const Json& request) {
    return request.is_null() ? std::string{} : request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<Json> read_answer(std::string_view what, const Expected<Message>& reply) {
    if (!reply) return std::unexpected{reply.error()};
    auto json = parse_js_answer(what, reply->text());
    if (json && json->contains("error")) return std::unexpected{js_error(what, (*json)["error"])};
    return json;
}

}  // namespace

Error js_error(std::string_view what, const Json& error) {
    const auto err_code = field<int>(error, "err_code");
    const auto description = field<std::string>(error, "description", "no description");
    const auto* known = find_known(err_code);
    const auto reason = fmt::format("{} (JetStream error {})", description, err_code);
    constexpr auto from = ErrorState::Origin::server;
    if (known == nullptr) return remote_error(what, {.from = from, .code = err_code, .description = reason});
    const std::string_view advice = known->advice;
    return ErrorAccess::make(known->code,
                             {.message = fmt::format("{}: {}{}{}", what, reason, advice.empty() ? "" : "; ", advice),
                              .remote_code = err_code,
                              .origin = from});
}

Error js_request_error(std::string_view what, std::string_view subject, const Error& error) {
    if (error.code() == Errc::no_responders) {
        return {Errc::no_jetstream,
                fmt::format("{}: nobody answers on {}; enable JetStream on the server and for this account, and check "
                            "the context's domain and prefix",
                            what, detail::quoted(subject))};
    }
    if (error.code() == Errc::timeout) {
        return {Errc::timeout,
                fmt::format("{}: no answer on {} within the timeout; perhaps a cluster is electing a leader, or "
                            "permissions deny the request",
                            what, detail::quoted(subject))};
    }
    return {error.code(), fmt::format("{}: {}", what, error.what())};
}

Json parse_json(std::string_view text) {
    const auto keep_integers = [](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::value && value.is_number_float()) {
            const auto number = value.get<double>();
            if (!(number >= 0 && number < 0x1p63)) value = nullptr;
        }
        return true;
    };
    return Json::parse(text, keep_integers, false);
}

Expected<Json> parse_js_answer(std::string_view what, std::string_view text) {
    auto json = parse_json(text);
    if (!json.is_object())
        return failure(Errc::bad_payload,
                       fmt::format("{}: the answer is not a JSON object: {}", what, detail::quoted(text)));
    return json;
}

Expected<void> check_js_name(std::string_view kind, std::string_view name) {
    const auto bad = [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '.' || c == '*' || c == '>' || c == '/' || c == '\\' ||
               c == 0x7f;
    };
    if (name.empty()) return failure(Errc::bad_setup, fmt::format("the {} has no name", kind));
    if (std::ranges::any_of(name, bad)) {
        return failure(Errc::bad_setup, fmt::format("{} {}: a name has no spaces, dots, `*`, `>` or slashes", kind,
                                                    detail::quoted(name)));
    }
    return {};
}

JsApi::JsApi(Link& link, js::ContextOptions options)
    : link_{link}, options_{std::move(options)}, prefix_{make_prefix(options_)} {}

Expected<Message> JsApi::ask(std::string_view op, std::string_view what, Bytes body,
                             std::chrono::milliseconds timeout) const {
    const auto to = subject(op);
    const RequestOptions options{.timeout = timeout.count() > 0 ? timeout : options_.timeout};
    auto* const group = RequestGroup::Scope::current();
    auto reply = group != nullptr ? link_.request_in(*group, to, {.body = body}, options)
                                  : link_.request(to, {.body = body}, options);
    if (!reply) return std::unexpected{js_request_error(what, to, reply.error())};
    return reply;
}

Expected<Json> JsApi::call(std::string_view op, std::string_view what, const Json& request,
                           std::chrono::milliseconds timeout) const {
    const auto body = body_of(request);
    return read_answer(what, ask(op, what, as_bytes(body), timeout));
}

void JsApi::call_async(std::string_view op, std::string_view what, const Json& request, Answered<Json> done) const {
    // A thread whose requests somebody may end waits for the answer itself, so that a stop ends this one, too. But
    // while it waits it may run callbacks, which must not.
    if (RequestGroup::Scope::current() != nullptr && may_wait()) return done(call(op, what, request));
    auto to = subject(op);
    const auto body = body_of(request);
    auto handler = [to, what = std::string{what}, done = std::move(done)](Expected<Message> reply) mutable {
        if (!reply) reply = std::unexpected{js_request_error(what, to, reply.error())};
        done(read_answer(what, reply));
    };
    link_.request_async(to, {.body = as_bytes(body)}, {.timeout = options_.timeout}, std::move(handler));
}

Expected<void> JsApi::list(std::string_view op, std::string_view what, std::string_view key, Json request,
                           const std::function<void(Json& element)>& each) const {
    if (request.is_null()) request = Json::object();
    for (std::size_t offset = 0;;) {
        request["offset"] = offset;
        auto page = call(op, what, request);
        if (!page) return std::unexpected{std::move(page).error()};
        const auto elements = page->find(key);
        // Go writes an empty list as null, or leaves it out.
        if (elements == page->end() || elements->empty()) return {};
        for (auto& element : *elements) each(element);
        offset += elements->size();
        if (offset >= field<std::size_t>(*page, "total")) return {};
    }
}

bool JsApi::may_ask_level(const std::optional<TimePoint>& asked) const {
    return !asked || link_.clock().now() - *asked >= options_.timeout;
}

bool JsApi::knows_level() const {
    const auto known = levels().find(level_key());
    return known.level || !may_ask_level(known.asked);
}

Expected<int> JsApi::level() const {
    const auto key = level_key();
    const auto known = levels().find(key);
    if (known.level) return *known.level;
    if (!may_ask_level(known.asked)) return unknown_level;
    const auto patience = known.asked ? std::min(options_.timeout, second_patience) : options_.timeout;
    auto told = told_level(key, call("INFO", level_question, {}, patience));
    if (told || told.error().code() != Errc::timeout) return told;
    levels().set_asked(key, link_.clock().now());
    return unknown_level;
}

void JsApi::level_async(Answered<int> done) const {
    const auto key = level_key();
    if (const auto known = levels().find(key); known.level) return done(*known.level);
    call_async("INFO", level_question, {}, [key, done = std::move(done)](const Expected<Json>& info) mutable {
        auto told = told_level(key, info);
        if (!told && told.error().code() == Errc::timeout) told = unknown_level;
        done(std::move(told));
    });
}

Expected<void> JsApi::needs(std::string_view version, std::string_view feature) const {
    const auto found = level();
    if (!found) return std::unexpected{found.error()};
    return check_level(*found, version, feature);
}

Expected<void> check_level(int level, std::string_view version, std::string_view feature) {
    const int needed = level_of(version);
    if (level >= needed) return {};
    return failure(
        Errc::server_too_old,
        fmt::format("{} needs nats-server {} or later: this server has JetStream API level {}, and {} is needed",
                    feature, version, level, needed));
}

bool passes(const Error& error) noexcept {
    if (error.code() == Errc::no_stream || error.code() == Errc::no_responders || error.code() == Errc::buffer_full)
        return true;
    return std::ranges::find(passing_errors, error.remote_code()) != passing_errors.end();
}

}  // namespace freshet::detail
