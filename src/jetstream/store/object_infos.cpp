// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/object_infos.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "jetstream/store/chunk_window.hpp"
#include "jetstream/store/digest.hpp"
#include "jetstream/store/object_json.hpp"

namespace freshet::detail {
namespace {

// The pause between two attempts to store a description while the stream has no leader.
constexpr auto describe_pause = std::chrono::milliseconds{100};

InDoubt in_doubt(const std::string& what, const Error& lost) {
    return {lost.code(), fmt::format("{}: it is not known whether it was stored: {}", what, lost.message())};
}

/// Returns whether the message may be stored in spite of the error.
bool leaves_open(const Error& error) {
    return error == Errc::timeout || error == Errc::disconnected || error == Errc::closed || error == Errc::bad_payload;
}

}  // namespace

std::string ObjectInfos::what(std::string_view verb, std::string_view name) const {
    return fmt::format("{} object {} in {}", verb, quoted(name), store_.what());
}

std::string ObjectInfos::subject_of(std::string_view name) const {
    return "$O." + store_.name() + ".M." + base64url(as_bytes(name));
}

std::optional<StoredInfo> ObjectInfos::find(std::string_view name, js::Read read) {
    if (name.empty()) raise({Errc::bad_setup, store_.what() + ": an object's name is not empty"});
    const auto subject = subject_of(name);
    auto found = store_.with_stream([&](const js::StreamInfo& info) {
        const bool direct = info.config.allow_direct.value_or(false);
        auto message = store_.stream().try_last_message(subject, direct ? read : js::Read::leader);
        if (!message) message = std::unexpected{store_.why(message.error())};
        return message;
    });
    if (!found && found.error().code() == Errc::message_not_found) return std::nullopt;
    if (!found) raise({found.error().code(), what("look up", name) + ": " + std::string{found.error().message()}});
    StoredInfo stored{value_or_raise(read_object_info(found->text())), found->sequence};
    stored.info.modified = found->time;
    return stored;
}

StoredInfo ObjectInfos::existing(std::string_view verb, std::string_view name, js::Read read) {
    auto stored = find(name, read);
    if (!stored || stored->info.deleted) raise({Errc::not_found, what(verb, name) + ": there is no such object"});
    return *std::move(stored);
}

Expected<std::uint64_t> ObjectInfos::send(const obj::Info& info, std::uint64_t last,
                                          std::chrono::milliseconds timeout) {
    Headers headers;
    headers.set("Nats-Rollup", "sub");
    headers.set("Nats-Expected-Last-Subject-Sequence", std::to_string(last));
    const auto body = write_object_info(info);
    const auto answer = store_.link().request(subject_of(info.name), {.body = as_bytes(body)},
                                              {.timeout = timeout, .headers = std::move(headers)});
    if (!answer) return std::unexpected{answer.error()};
    return read_store_ack(what("describe", info.name), *answer);
}

bool ObjectInfos::store(const obj::Info& info, const std::optional<StoredInfo>& before) {
    const auto sent = send(info, before ? before->sequence : 0, store_.api().options().timeout);
    if (sent) return true;
    if (sent.error() == Errc::wrong_last_sequence) return false;
    if (!leaves_open(sent.error())) raise(sent.error());
    return store_again(info, before, sent.error());
}

bool ObjectInfos::store_again(const obj::Info& info, const std::optional<StoredInfo>& before, const Error& lost) {
    using std::chrono::milliseconds;
    auto& clock = store_.link().clock();
    const auto deadline = clock.now() + store_.api().options().timeout;
    for (;;) {
        // Half of the time that is left: what is sent while a leader is elected may get no answer.
        const auto patience = std::chrono::floor<milliseconds>(deadline - clock.now()) / 2;
        if (patience < milliseconds{1}) break;
        const auto sent = send(info, before ? before->sequence : 0, patience);
        if (sent) return true;
        const auto& error = sent.error();
        if (error == Errc::closed) break;
        const bool unheard = leaves_open(error) || error == Errc::no_responders || error == Errc::buffer_full;
        const auto stored = unheard ? std::nullopt : was_stored(info, before, lost);
        if (stored) return *stored;
        pause(clock, std::min<std::chrono::nanoseconds>(describe_pause, patience));
    }
    throw in_doubt(what("describe", info.name), lost);
}

std::optional<bool> ObjectInfos::was_stored(const obj::Info& info, const std::optional<StoredInfo>& before,
                                            const Error& lost) {
    std::optional<StoredInfo> current;
    try {
        current = find(info.name, js::Read::leader);
    } catch (const Error&) { throw in_doubt(what("describe", info.name), lost); }
    // A cluster refuses the second description while the first waits for its servers, and shows neither. No description
    // at all: the object may have been renamed.
    if (!current || (before && current->sequence == before->sequence)) return std::nullopt;
    if (current->info.id != info.id) raise(lost);
    const bool new_id = !before || before->info.id != info.id;
    return new_id || write_object_info(current->info) == write_object_info(info);
}

std::optional<StoredInfo> ObjectInfos::replace(const obj::Info& info, std::optional<StoredInfo> before) {
    for (int left = info_attempts; !store(info, before); --left) {
        if (left == 1) {
            raise({Errc::wrong_last_sequence,
                   what("put", info.name) + ": others write it all the time; nothing was stored"});
        }
        before = find(info.name, js::Read::leader);
    }
    return before;
}

}  // namespace freshet::detail
