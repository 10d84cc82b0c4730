// SPDX-License-Identifier: Apache-2.0
#include "link/stream_ack.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace freshet::detail {
namespace {

constexpr std::array<std::string_view, 7> other_members{"domain", "duplicate", "val",   "batch",
                                                        "count",  "seq",       "stream"};

/// Reads a flat JSON object whose texts have no escapes, as acknowledgements are.
class AckReader {
public:
    explicit AckReader(std::string_view text) noexcept : rest_{text} {}

    bool take(char c) noexcept {
        skip_blanks();
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Removes and returns a quoted text; empty if there is none.
    std::string_view text() noexcept {
        if (!take('"')) return {};
        const auto found = rest_.substr(0, rest_.find_first_of("\"\\"));
        rest_.remove_prefix(found.size());
        return take('"') ? found : std::string_view{};
    }
    /// Removes a text, a number, true or false. Returns false if there is none.
    bool value() noexcept {
        skip_blanks();
        if (rest_.starts_with('"')) {
            if (!rest_.starts_with("\"\"")) return !text().empty();
            rest_.remove_prefix(2);
            return true;
        }
        const auto size = std::min(rest_.find_first_not_of("-0123456789truefals"), rest_.size());
        rest_.remove_prefix(size);
        return size > 0;
    }
    /// Removes the object of an error, which has no objects in it, if it has the quoted name `member`.
    bool object(std::string_view member) noexcept {
        if (!take('{')) return false;
        const auto inner = rest_.substr(0, rest_.find('}'));
        if (!inner.contains(member)) return false;
        rest_.remove_prefix(inner.size());
        return take('}');
    }
    bool at_end() noexcept {
        skip_blanks();
        return rest_.empty();
    }

private:
    void skip_blanks() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    std::string_view rest_;
};

bool reads_as_ack(std::string_view text) noexcept {
    AckReader in{text};
    bool stream = false;
    bool number = false;
    bool error = false;
    if (!in.take('{')) return false;
    do {
        const auto name = in.text();
        if (!in.take(':')) return false;
        if (name == "error") {
            error = in.object("\"err_code\"");
            if (!error) return false;
            continue;
        }
        if (std::ranges::find(other_members, name) == other_members.end() || !in.value()) return false;
        stream = stream || name == "stream";
        number = number || name == "seq";
    } while (in.take(','));
    return in.take('}') && in.at_end() && ((stream && number) || error);
}

bool has_headers(const Message& message) noexcept {
    try {
        return !message.headers().empty();
    } catch (...) { return true; }  // without memory to look, it counts as an answer
}

}  // namespace

bool is_stream_ack(const Message& message) noexcept {
    const auto text = message.text();
    const bool may_be = text.starts_with("{\"stream\":") || text.starts_with("{\"error\":{");
    return may_be && reads_as_ack(text) && !has_headers(message);
}

}  // namespace freshet::detail
