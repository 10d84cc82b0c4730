// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/stored_messages.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <freshet/text.hpp>

#include "base/header_text.hpp"
#include "jetstream/api/rfc3339.hpp"

namespace freshet::detail {
namespace {

std::optional<std::string> from_base64(const std::string& text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

/// Parses `NATS/1.0`, a line for each header, and an empty line. Leaves out headers that could not be sent again.
Headers parse_headers(std::string_view block) {
    Headers headers;
    for (auto end = block.find("\r\n"); end != std::string_view::npos; end = block.find("\r\n")) {
        const auto line = block.substr(0, end);
        block.remove_prefix(end + 2);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const auto value = without_blanks(line.substr(colon + 1));
        if (Headers::check(line.substr(0, colon), value)) headers.add(line.substr(0, colon), value);
    }
    return headers;
}

Error not_a_message(std::string_view what) {
    return {Errc::bad_payload, fmt::format("{}: the answer is not a stored message", what)};
}

}  // namespace

Expected<js::StoredMessage> stored_from_json(std::string_view what, std::string_view stream, const Json& message) {
    const auto subject = field<std::string>(message, "subject");
    const auto data = from_base64(field<std::string>(message, "data"));
    const auto headers = from_base64(field<std::string>(message, "hdrs"));
    if (subject.empty() || !data || !headers) return std::unexpected{not_a_message(what)};
    const auto time = parse_rfc3339(field<std::string>(message, "time"));
    return js::StoredMessage{{.stream = std::string{stream},
                              .subject = subject,
                              .sequence = field<std::uint64_t>(message, "seq"),
                              .time = time.value_or(std::chrono::system_clock::time_point{})},
                             Message::make(subject, as_bytes(*data), parse_headers(*headers))};
}

Expected<js::StoredMessage> stored_from_direct(std::string_view what, std::string_view stream, Message message) {
    const auto subject = message.header("Nats-Subject");
    const auto sequence = FromText<std::uint64_t>::parse(message.header("Nats-Sequence").value_or(""));
    if (!subject || !sequence) {
        if (message.status() == 404) return failure(Errc::message_not_found, fmt::format("{}: there is none", what));
        if (message.status() == 0) return std::unexpected{not_a_message(what)};
        return failure(Errc::remote, fmt::format("{}: the server answered with status {}", what, message.status()));
    }
    const auto time = parse_rfc3339(message.header("Nats-Time-Stamp").value_or(""));
    js::StoredMessage::Place place{.stream = std::string{stream},
                                   .subject = std::string{*subject},
                                   .sequence = *sequence,
                                   .time = time.value_or(std::chrono::system_clock::time_point{})};
    return js::StoredMessage{std::move(place), std::move(message)};
}

Error direct_error(const JsApi& api, const std::string& stream, std::string_view what, const Error& error) {
    if (error.code() != Errc::no_jetstream && error.code() != Errc::no_responders) return error;
    const auto info = api.call("STREAM.INFO." + stream, what);
    if (!info && info.error().code() == Errc::stream_not_found) return info.error();
    if (info && !field<bool>(field<Json>(*info, "config", Json::object()), "allow_direct")) {
        return {Errc::no_responders, fmt::format("{}: the stream does not have allow_direct; declare it with "
                                                 ".allow_direct = true, or read one message after the other with "
                                                 "next_message, which asks the stream's leader",
                                                 what)};
    }
    return {Errc::no_jetstream,
            fmt::format("{}: nobody answers; the stream does not exist, or does not have allow_direct", what)};
}

}  // namespace freshet::detail
