// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "compression/codecs.hpp"

namespace freshet::detail {
namespace {

constexpr std::size_t least_room = 4'096;

}  // namespace

Expected<void> expand(Buffer& into, std::size_t expected, std::size_t max,
                      const std::function<Expected<Expanded>(std::span<char> room)>& step) {
    auto& text = into.string();
    std::size_t used = 0;
    const auto limit = max + 1;  // the byte beyond the limit tells that there is more
    while (true) {
        if (used == text.size()) text.resize(std::min(limit, std::max({least_room, expected, 2 * text.size()})));
        auto done = step(std::span{text}.subspan(used));
        if (!done) return std::unexpected{std::move(done).error()};
        used += done->written;
        if (used > max) return failure(Errc::payload_too_large, "it expands to more");
        if (done->done) break;
        if (done->starved) return failure(Errc::bad_payload, "it ends too early");
    }
    text.resize(used);
    return {};
}

}  // namespace freshet::detail
