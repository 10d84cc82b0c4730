// SPDX-License-Identifier: Apache-2.0
#include <freshet/metadata.hpp>

#include <array>
#include <charconv>
#include <span>

#include <freshet/message.hpp>

namespace freshet {
namespace {

constexpr std::string_view prefix = "$JS.ACK.";
constexpr std::size_t short_form =
    7;  // stream, consumer, deliveries, stream sequence, consumer sequence, time, pending
constexpr std::size_t long_form =
    9;  // domain and account before these, and perhaps tokens behind that mean nothing yet

/// The first tokens of `text`, up to `tokens.size()`; how many there are in all.
std::size_t split(std::string_view text, std::span<std::string_view> tokens) noexcept {
    std::size_t count = 0;
    while (true) {
        const auto end = text.find('.');
        if (count < tokens.size()) tokens[count] = text.substr(0, end);
        ++count;
        if (end == std::string_view::npos) return count;
        text.remove_prefix(end + 1);
    }
}

template <class Number>
bool read(std::string_view text, Number& number) noexcept {
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc{} && result.ptr == end;
}

}  // namespace

std::optional<Metadata> parse_ack_subject(std::string_view reply_to) noexcept {
    if (!reply_to.starts_with(prefix)) return std::nullopt;
    std::array<std::string_view, long_form> tokens;
    const auto count = split(reply_to.substr(prefix.size()), tokens);
    if (count != short_form && count < long_form) return std::nullopt;
    const bool is_long = count >= long_form;
    const auto* const at = tokens.data() + (is_long ? 2 : 0);

    Metadata metadata{.stream = at[0], .consumer = at[1]};
    if (is_long && tokens[0] != "_") metadata.domain = tokens[0];
    std::int64_t nanoseconds = 0;
    const bool read_all = read(at[2], metadata.deliveries) && read(at[3], metadata.stream_sequence) &&
                          read(at[4], metadata.consumer_sequence) && read(at[5], nanoseconds) &&
                          read(at[6], metadata.pending);
    if (!read_all) return std::nullopt;
    using Time = std::chrono::system_clock::time_point;
    metadata.time = Time{std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds{nanoseconds})};
    return metadata;
}

std::optional<Metadata> Message::metadata() const noexcept { return parse_ack_subject(reply_to()); }

}  // namespace freshet
