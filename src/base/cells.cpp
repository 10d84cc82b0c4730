// SPDX-License-Identifier: Apache-2.0
#include "base/cells.hpp"

#include <exception>

namespace freshet::detail {

Cells::Cells(std::size_t count) : count_{count}, shared_{count} {}

Cells::~Cells() {
    for (const auto& row : rows_) delete row.load(std::memory_order_acquire);
}

Cells::Row* Cells::make() noexcept {
    const auto number = ThreadNumber::take();
    if (number == ThreadNumber::none) return nullptr;
    if (auto* const known = rows_[number].load(std::memory_order_relaxed)) return known;
    try {
        auto* const made = new Row{count_};
        rows_[number].store(made, std::memory_order_release);
        return made;
    } catch (const std::exception&) { return nullptr; }  // no memory: the thread adds to the shared counters
}

std::uint64_t Cells::sum(std::size_t cell) const noexcept {
    auto total = shared_[cell].load(std::memory_order_relaxed);
    for (const auto& slot : rows_)
        if (const auto* const row = slot.load(std::memory_order_acquire)) total += row->value(cell);
    return total;
}

}  // namespace freshet::detail
