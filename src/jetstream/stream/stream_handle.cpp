// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/stream_handle.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <freshet/subject_grammar.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/stream/stored_batches.hpp"
#include "jetstream/stream/stored_messages.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet::js {
namespace {

using detail::Json;

std::string of_stream(const std::string& name) { return "stream " + detail::quoted(name); }

Expected<StoredMessage> get_direct(const detail::JsApi& api, const std::string& stream, const std::string& op,
                                   const std::string& what, const Json& request = {}) {
    const auto body = request.is_null() ? std::string{} : request.dump();
    auto reply = api.ask(op, what, as_bytes(body));
    if (!reply) return std::unexpected{detail::direct_error(api, stream, what, reply.error())};
    return detail::stored_from_direct(what, stream, *std::move(reply));
}

Expected<StoredMessage> get(const detail::JsApi& api, const std::string& stream, const std::string& what, Read read,
                            const Json& request) {
    if (auto valid = detail::check_js_name("stream", stream); !valid) return std::unexpected{std::move(valid).error()};
    if (read == Read::direct) return get_direct(api, stream, "DIRECT.GET." + stream, what, request);
    const auto answer = api.call("STREAM.MSG.GET." + stream, what, request);
    if (!answer) return std::unexpected{answer.error()};
    return detail::stored_from_json(what, stream, detail::field<Json>(*answer, "message", Json::object()));
}

enum class Removal : std::uint8_t {
    keep_bytes,
    erase,  ///< the server overwrites the message's bytes
};

Expected<void> delete_one(const detail::JsApi& api, const std::string& stream, std::uint64_t sequence,
                          Removal removal) {
    if (auto valid = detail::check_js_name("stream", stream); !valid) return valid;
    Json request{{"seq", sequence}};
    if (removal == Removal::keep_bytes) request["no_erase"] = true;
    const auto answer = api.call("STREAM.MSG.DELETE." + stream,
                                 fmt::format("delete message {} of {}", sequence, of_stream(stream)), request);
    if (!answer) return std::unexpected{answer.error()};
    return {};
}

}  // namespace

Expected<StreamInfo> StreamHandle::try_info(const InfoOptions& options) const {
    if (auto valid = detail::check_js_name("stream", name_); !valid) return std::unexpected{std::move(valid).error()};
    const auto what = "look up " + of_stream(name_);
    auto request = Json::object();
    if (!options.subjects.empty()) request["subjects_filter"] = options.subjects;
    if (options.deleted) request["deleted_details"] = true;
    auto answer = api_->call("STREAM.INFO." + name_, what, request);
    if (!answer) return std::unexpected{std::move(answer).error()};
    auto info = detail::to_stream_info(what, *answer);
    // The subjects come in pages.
    while (info && info->state.subjects.size() < detail::field<std::size_t>(*answer, "total")) {
        request["offset"] = info->state.subjects.size();
        answer = api_->call("STREAM.INFO." + name_, what, request);
        if (!answer) return std::unexpected{std::move(answer).error()};
        auto page = detail::to_stream_info(what, *answer);
        if (!page) return page;
        if (page->state.subjects.empty()) break;
        info->state.subjects.merge(page->state.subjects);
    }
    return info;
}

Expected<std::uint64_t> StreamHandle::try_purge(const PurgeOptions& options) const {
    if (auto valid = detail::check_js_name("stream", name_); !valid) return std::unexpected{std::move(valid).error()};
    if (options.up_to_sequence != 0 && options.keep != 0)
        return failure(Errc::bad_setup,
                       "purge " + of_stream(name_) + ": up_to_sequence and keep exclude each other; set one of them");
    auto request = Json::object();
    if (!options.subject.empty()) request["filter"] = options.subject;
    if (options.up_to_sequence != 0) request["seq"] = options.up_to_sequence;
    if (options.keep != 0) request["keep"] = options.keep;
    const auto answer = api_->call("STREAM.PURGE." + name_, "purge " + of_stream(name_), request);
    if (!answer) return std::unexpected{answer.error()};
    return detail::field<std::uint64_t>(*answer, "purged");
}

Expected<void> StreamHandle::try_remove() const {
    if (auto valid = detail::check_js_name("stream", name_); !valid) return valid;
    const auto answer = api_->call("STREAM.DELETE." + name_, "delete " + of_stream(name_));
    if (!answer) return std::unexpected{answer.error()};
    return {};
}

Expected<StoredMessage> StreamHandle::try_message(std::uint64_t sequence, Read read) const {
    return get(*api_, name_, fmt::format("get message {} of {}", sequence, of_stream(name_)), read,
               Json{{"seq", sequence}});
}

Expected<StoredMessage> StreamHandle::try_last_message(std::string_view subject, Read read) const {
    const auto what = fmt::format("get the last message of {} in {}", detail::quoted(subject), of_stream(name_));
    // The subject stands in the question's subject, so that permissions can depend on it; one with wildcards cannot.
    const bool tells_subject = read == Read::direct && check_subject(subject) == SubjectFault::none;
    if (!tells_subject) return get(*api_, name_, what, read, Json{{"last_by_subj", subject}});
    if (auto valid = detail::check_js_name("stream", name_); !valid) return std::unexpected{std::move(valid).error()};
    return get_direct(*api_, name_, fmt::format("DIRECT.GET.{}.{}", name_, subject), what);
}

Expected<StoredMessage> StreamHandle::try_next_message(std::string_view subject, std::uint64_t from_sequence,
                                                       Read read) const {
    const auto what = fmt::format("get the first message of {} from {} on in {}", detail::quoted(subject),
                                  from_sequence, of_stream(name_));
    return get(*api_, name_, what, read,
               Json{{"seq", std::max<std::uint64_t>(from_sequence, 1)}, {"next_by_subj", subject}});
}

Expected<std::vector<StoredMessage>> StreamHandle::try_messages(const ReadOptions& options) const {
    Json request{{"next_by_subj", options.subject.empty() ? ">" : options.subject}};
    if (options.from_time) request["start_time"] = detail::format_rfc3339(*options.from_time);
    else request["seq"] = std::max<std::uint64_t>(options.from_sequence, 1);
    return detail::read_stored(*api_, name_, "read messages of " + of_stream(name_), std::move(request), options.limit);
}

Expected<std::vector<StoredMessage>> StreamHandle::try_last_messages(const std::vector<std::string>& subjects,
                                                                     std::uint64_t up_to_sequence) const {
    constexpr std::size_t most = 1'024;
    Json request{{"multi_last", subjects}};
    if (up_to_sequence != 0) request["up_to_seq"] = up_to_sequence;
    return detail::read_stored(*api_, name_, "read last messages of " + of_stream(name_), std::move(request), most);
}

Expected<CounterValue> StreamHandle::try_counter(std::string_view subject, Read read) const {
    const auto last = try_last_message(subject, read);
    if (!last) return std::unexpected{last.error()};
    const auto what = fmt::format("read the counter {} in {}", detail::quoted(subject), of_stream(name_));
    const auto json = detail::parse_js_answer(what, last->text());
    if (!json) return std::unexpected{json.error()};
    return CounterValue{detail::field<std::string>(*json, "val")};
}

Expected<void> StreamHandle::try_delete_message(std::uint64_t sequence) const {
    return delete_one(*api_, name_, sequence, Removal::keep_bytes);
}

Expected<void> StreamHandle::try_erase_message(std::uint64_t sequence) const {
    return delete_one(*api_, name_, sequence, Removal::erase);
}

}  // namespace freshet::js
