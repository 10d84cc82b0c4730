// SPDX-License-Identifier: Apache-2.0
#include <freshet/metadata.hpp>

#include <array>
#include <bit>
#include <cstddef>

#include <freshet/message.hpp>
#include <freshet/text.hpp>

#include "base/eight.hpp"

namespace freshet {
namespace {

constexpr std::string_view prefix = "$JS.ACK.";
constexpr std::size_t short_form =
    7;                                // stream, consumer, deliveries, stream sequence, consumer sequence, time, pending
constexpr std::size_t long_form = 9;  // domain and account come before these; later servers may add tokens at the end

/// Splits a text into tokens: counts them, and keeps the first long_form of them.
class Tokens {
public:
    explicit Tokens(std::string_view text) noexcept : text_{text} {
        std::size_t at = 0;
        for (; text.size() - at >= 8; at += 8) {
            using namespace detail;
            for (auto dots = equal_bytes(load_eight(text.data() + at), '.'); dots != 0; dots &= dots - 1)
                end_token(at + static_cast<std::size_t>(std::countr_zero(dots)) / 8);
        }
        for (; at < text.size(); ++at) {
            if (text[at] == '.') end_token(at);
        }
        end_token(text.size());
    }

    std::size_t count() const noexcept { return count_; }
    std::string_view operator[](std::size_t index) const noexcept {
        const auto begin = index == 0 ? 0 : ends_[index - 1] + 1;
        return text_.substr(begin, ends_[index] - begin);
    }

private:
    void end_token(std::size_t position) noexcept {
        if (count_ < ends_.size()) ends_[count_] = position;
        ++count_;
    }

    std::string_view text_;
    std::array<std::size_t, long_form> ends_;  // not initialized: it is written before it is read
    std::size_t count_ = 0;
};

template <class Number>
bool read(std::string_view text, Number& number) noexcept {
    const auto found = FromText<Number>::parse(text);
    if (found) number = *found;
    return found.has_value();
}

}  // namespace

std::optional<Metadata> parse_ack_subject(std::string_view reply_to) noexcept {
    if (!reply_to.starts_with(prefix)) return std::nullopt;
    const Tokens tokens{reply_to.substr(prefix.size())};
    const bool is_long = tokens.count() >= long_form;
    if (tokens.count() != short_form && !is_long) return std::nullopt;
    const std::size_t first = is_long ? 2 : 0;

    Metadata metadata{.stream = tokens[first], .consumer = tokens[first + 1]};
    if (is_long && tokens[0] != "_") metadata.domain = tokens[0];
    std::int64_t nanoseconds = 0;
    const bool read_all = read(tokens[first + 2], metadata.deliveries) &&
                          read(tokens[first + 3], metadata.stream_sequence) &&
                          read(tokens[first + 4], metadata.consumer_sequence) && read(tokens[first + 5], nanoseconds) &&
                          read(tokens[first + 6], metadata.pending);
    if (!read_all) return std::nullopt;
    using Time = std::chrono::system_clock::time_point;
    metadata.time = Time{std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds{nanoseconds})};
    return metadata;
}

std::optional<Metadata> Message::metadata() const noexcept { return parse_ack_subject(reply_to()); }

}  // namespace freshet
