// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/dead_letters.hpp>

#include <fmt/format.h>

#include <freshet/subject.hpp>
#include <freshet/text.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/publish/publish.hpp"

namespace freshet::js {
namespace {

constexpr std::string_view mark = "Dead-Letter-";
constexpr std::string_view command = "Nats-";
constexpr std::string_view lifetime = "Nats-TTL";

Expected<std::optional<Subject>> pattern_of(const DeadLetterFilter& filter) {
    if (filter.subject.empty()) return std::nullopt;
    auto parsed = Subject::parse(filter.subject);
    if (!parsed) return std::unexpected{std::move(parsed).error()};
    return *std::move(parsed);
}

bool meant(const DeadLetter& letter, const DeadLetterFilter& filter, const std::optional<Subject>& pattern) {
    const auto same = [](const std::string& wanted, std::string_view is) { return wanted.empty() || wanted == is; };
    return !letter.original_subject().empty() && (!pattern || pattern->matches(letter.original_subject())) &&
           same(filter.stream, letter.original_stream()) && same(filter.consumer, letter.original_consumer()) &&
           letter.reason().find(filter.reason) != std::string_view::npos &&
           (filter.matches == nullptr || filter.matches(letter));
}

/// Returns whether the error says that the server is not heard, so that no other letter would fare better.
bool unheard(const Error& error) {
    return error.condition() == Condition::disconnected || error.condition() == Condition::timeout;
}

/// The id of a retried message: the letter's own, which no other letter has, even after its stream was made anew.
std::string retry_id(const DeadLetter& letter) {
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(letter.time().time_since_epoch()).count();
    return fmt::format("retry.{}.{}.{}", letter.metadata()->stream, letter.sequence(), time);
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> DeadLetter::original_time() const {
    return detail::parse_rfc3339(text_of("Dead-Letter-Time"));
}

Headers DeadLetter::original_headers() const {
    Headers own;
    for (const auto& [name, value] : headers()) {
        if (!name.starts_with(mark)) {
            if (!name.starts_with(command)) own.add(name, value);
        } else if (name.substr(mark.size()) == lifetime) {
            own.add(lifetime, value);
        }
    }
    return own;
}

std::uint64_t DeadLetter::number_of(std::string_view header_name) const {
    return FromText<std::uint64_t>::parse(text_of(header_name)).value_or(0);
}

DeadLetters::DeadLetters(Broker& broker, std::string stream, const ContextOptions& context)
    : api_{std::make_shared<const detail::JsApi>(broker.link(), context)}, stream_{api_, std::move(stream)} {}

std::string DeadLetters::what(std::string_view verb, std::uint64_t sequence) const {
    return fmt::format("{} dead letter {} of stream {}", verb, sequence, detail::quoted(stream_.name()));
}

Expected<void> DeadLetters::each(const DeadLetterFilter& filter, const Take& take) const {
    const auto pattern = pattern_of(filter);
    if (!pattern) return std::unexpected{pattern.error()};
    // What comes later is not meant: a message that is retried may fail again while this goes on.
    const auto info = stream_.try_info();
    if (!info) return std::unexpected{info.error()};
    const auto last = info->state.last_sequence;
    std::size_t taken = 0;
    for (auto next = filter.from_sequence; next <= last;) {
        auto stored = stream_.try_next_message(">", next);
        if (!stored && stored.error().code() == Errc::message_not_found) return {};
        if (!stored) return std::unexpected{std::move(stored).error()};
        if (stored->sequence() > last) return {};
        next = stored->sequence() + 1;
        DeadLetter letter{*std::move(stored)};
        if (!meant(letter, filter, *pattern)) continue;
        if (auto done = take(std::move(letter)); !done) return done;
        if (++taken == filter.limit) return {};
    }
    return {};
}

Expected<std::vector<DeadLetter>> DeadLetters::try_list(const DeadLetterFilter& filter) const {
    std::vector<DeadLetter> letters;
    auto read = each(filter, [&](DeadLetter letter) -> Expected<void> {
        letters.push_back(std::move(letter));
        return {};
    });
    if (!read) return std::unexpected{std::move(read).error()};
    return letters;
}

Expected<DeadLetter> DeadLetters::try_show(std::uint64_t sequence) const {
    auto stored = stream_.try_message(sequence);
    if (!stored) return std::unexpected{std::move(stored).error()};
    DeadLetter letter{*std::move(stored)};
    if (letter.original_subject().empty())
        return failure(Errc::bad_payload,
                       what("show", sequence) + ": it has no header \"Dead-Letter-Subject\", so it is no dead letter");
    return letter;
}

Expected<PublishAck> DeadLetters::publish_again(const DeadLetter& letter) const {
    const auto tried = what("retry", letter.sequence());
    if (!letter.complete()) {
        return failure(Errc::bad_payload,
                       fmt::format("{}: its payload of {} bytes was too large for a dead letter, so it is not there; "
                                   "message {} of stream {} may still have it",
                                   tried, letter.header("Dead-Letter-Payload-Size").value_or(""),
                                   letter.original_sequence(), detail::quoted(letter.original_stream())));
    }
    auto ack = detail::publish_stored(*api_, letter.original_subject(), {letter.payload(), {}},
                                      {.headers = letter.original_headers(), .id = retry_id(letter)});
    if (!ack) return std::unexpected{Error{ack.error().code(), tried + ": " + std::string{ack.error().message()}}};
    // Somebody else may have retried it at the same time, and removed it.
    if (auto removed = stream_.try_delete_message(letter.sequence());
        !removed && removed.error().code() != Errc::message_not_found)
        return std::unexpected{std::move(removed).error()};
    return ack;
}

Expected<PublishAck> DeadLetters::try_retry(std::uint64_t sequence) const {
    const auto letter = try_show(sequence);
    if (!letter) return std::unexpected{letter.error()};
    return publish_again(*letter);
}

Expected<void> DeadLetters::try_drop(std::uint64_t sequence) const {
    if (const auto letter = try_show(sequence); !letter) return std::unexpected{letter.error()};
    return stream_.try_delete_message(sequence);
}

Expected<DeadLetterRetries> DeadLetters::try_retry_all(const DeadLetterFilter& filter) const {
    DeadLetterRetries retries;
    auto done = each(filter, [&](const DeadLetter& letter) -> Expected<void> {
        const auto ack = publish_again(letter);
        if (ack) ++retries.retried;
        else if (unheard(ack.error())) return std::unexpected{ack.error()};
        else retries.failed.push_back({letter.sequence(), ack.error()});
        return {};
    });
    if (!done) return std::unexpected{std::move(done).error()};
    return retries;
}

Expected<std::size_t> DeadLetters::try_drop_all(const DeadLetterFilter& filter) const {
    std::size_t dropped = 0;
    auto done = each(filter, [&](const DeadLetter& letter) -> Expected<void> {
        auto removed = stream_.try_delete_message(letter.sequence());
        if (removed) ++dropped;
        else if (removed.error().code() != Errc::message_not_found) return removed;
        return {};
    });
    if (!done) return std::unexpected{std::move(done).error()};
    return dropped;
}

}  // namespace freshet::js
