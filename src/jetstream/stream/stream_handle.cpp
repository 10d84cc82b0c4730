// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/stream_handle.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/stream/stored_messages.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet::js {
namespace {

using detail::Json;

std::string of_stream(const std::string& name) { return "stream " + detail::quoted(name); }

/// Returns the error of a DIRECT.GET. A stream that does not allow direct gets does not listen, so nobody answers.
Error direct_error(const std::string& what, const Error& error) {
    if (error.code() != Errc::no_jetstream) return error;
    return {Errc::no_jetstream,
            fmt::format("{}: nobody answers: there is no such stream, or it has not allow_direct", what)};
}

Expected<StoredMessage> get_direct(const detail::JsApi& api, const std::string& op, const std::string& what,
                                   const Json& request = {}) {
    const auto body = request.is_null() ? std::string{} : request.dump();
    auto reply = api.ask(op, what, as_bytes(body));
    if (!reply) return std::unexpected{direct_error(what, reply.error())};
    return detail::stored_from_direct(what, *std::move(reply));
}

Expected<StoredMessage> get(const detail::JsApi& api, const std::string& stream, const std::string& what, Read read,
                            const Json& request) {
    if (auto valid = detail::check_js_name("stream", stream); !valid) return std::unexpected{std::move(valid).error()};
    if (read == Read::direct) return get_direct(api, "DIRECT.GET." + stream, what, request);
    const auto answer = api.call("STREAM.MSG.GET." + stream, what, request);
    if (!answer) return std::unexpected{answer.error()};
    return detail::stored_from_json(what, detail::field<Json>(*answer, "message", Json::object()));
}

/// The place where a batch ended.
struct BatchEnd {
    std::uint64_t pending = 0;
    std::uint64_t last_sequence = 0;
    std::uint64_t up_to_sequence = 0;
};

std::uint64_t number_in(const Message& message, std::string_view header) {
    return FromText<std::uint64_t>::parse(message.header(header).value_or("")).value_or(0);
}

/// Asks for a batch (ADR-31), blocks until it has ended, and adds its messages to `messages`.
Expected<BatchEnd> get_batch(const detail::JsApi& api, const std::string& stream, const std::string& what,
                             const Json& request, std::vector<StoredMessage>& messages) {
    const auto body = request.dump();
    const auto replies = detail::request_many(api.link(), api.subject("DIRECT.GET." + stream), {.body = as_bytes(body)},
                                              {.timeout = api.options().timeout, .ends_at_empty = false});
    while (auto reply = replies->next()) {
        if (!*reply)
            return std::unexpected{
                direct_error(what, detail::js_request_error(what, replies->subject(), reply->error()))};
        if ((*reply)->status() == 204) {
            return BatchEnd{.pending = number_in(**reply, "Nats-Num-Pending"),
                            .last_sequence = number_in(**reply, "Nats-Last-Sequence"),
                            .up_to_sequence = number_in(**reply, "Nats-UpTo-Sequence")};
        }
        auto stored = detail::stored_from_direct(what, *std::move(*reply));
        if (!stored && stored.error().code() == Errc::message_not_found) return BatchEnd{};
        if (!stored) return std::unexpected{std::move(stored).error()};
        messages.push_back(*std::move(stored));
    }
    return failure(Errc::timeout, fmt::format("{}: the batch did not end within the timeout", what));
}

/// Gets batches until there are no more messages, or `limit` of them.
Expected<std::vector<StoredMessage>> get_batches(const detail::JsApi& api, const std::string& stream,
                                                 const std::string& what, Json request, std::size_t limit) {
    constexpr std::size_t batch_size = 1'000;
    if (auto valid = detail::check_js_name("stream", stream); !valid) return std::unexpected{std::move(valid).error()};
    if (auto able = api.needs("2.11", "reading several messages of a stream at once"); !able)
        return std::unexpected{std::move(able).error()};
    std::vector<StoredMessage> messages;
    while (messages.size() < limit) {
        const auto before = messages.size();
        request["batch"] = std::min(limit - before, batch_size);
        const auto end = get_batch(api, stream, what, request, messages);
        if (!end) return std::unexpected{end.error()};
        if (end->pending == 0 || messages.size() == before) break;
        request["seq"] = messages.back().sequence + 1;
        request.erase("start_time");
        if (request.contains("multi_last")) request["up_to_seq"] = end->up_to_sequence;
    }
    return messages;
}

Expected<void> delete_one(const detail::JsApi& api, const std::string& stream, std::uint64_t sequence, bool erase) {
    if (auto valid = detail::check_js_name("stream", stream); !valid) return valid;
    Json request{{"seq", sequence}};
    if (!erase) request["no_erase"] = true;
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
        return failure(Errc::bad_setup, "purge " + of_stream(name_) + ": up_to_sequence and keep exclude each other");
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
    return get(*api_, name_, what, read, Json{{"last_by_subj", subject}});
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
    return get_batches(*api_, name_, "read messages of " + of_stream(name_), std::move(request), options.limit);
}

Expected<std::vector<StoredMessage>> StreamHandle::try_last_messages(const std::vector<std::string>& subjects,
                                                                     std::uint64_t up_to_sequence) const {
    constexpr std::size_t most = 1'024;
    Json request{{"multi_last", subjects}};
    if (up_to_sequence != 0) request["up_to_seq"] = up_to_sequence;
    return get_batches(*api_, name_, "read last messages of " + of_stream(name_), std::move(request), most);
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
    return delete_one(*api_, name_, sequence, false);
}

Expected<void> StreamHandle::try_erase_message(std::uint64_t sequence) const {
    return delete_one(*api_, name_, sequence, true);
}

}  // namespace freshet::js
