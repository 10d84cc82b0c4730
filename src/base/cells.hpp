// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/sampler.hpp"
#include "base/thread_number.hpp"

namespace freshet::detail {

/// Counters that many threads add to and few read. Each thread has a row of its own, so that adding takes no lock and
/// no other thread's cache line; a reader sums up the rows. A row is made when its thread first adds. Threads that have
/// no row add to shared counters, which costs more. Thread-safe.
class Cells {
    static constexpr std::size_t cells_per_line = 8;
    struct alignas(64) Line {
        std::array<std::atomic<std::uint64_t>, cells_per_line> cells;
    };

    /// A number of counters.
    class Lines {
    public:
        explicit Lines(std::size_t cells)
            : lines_{std::make_unique<Line[]>((cells + cells_per_line - 1) / cells_per_line)} {}
        std::atomic<std::uint64_t>& operator[](std::size_t cell) const noexcept {
            return lines_[cell / cells_per_line].cells[cell % cells_per_line];
        }

    private:
        std::unique_ptr<Line[]> lines_;
    };

public:
    /// The counters of one thread; only this thread may use them.
    class Row {
    public:
        explicit Row(std::size_t cells) : lines_{cells} {}

        void add(std::size_t cell, std::uint64_t count = 1) noexcept {
            // Nobody else writes, and this costs a tenth of a locked addition.
            auto& value = lines_[cell];
            value.store(value.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
        }
        std::uint64_t value(std::size_t cell) const noexcept { return lines_[cell].load(std::memory_order_relaxed); }
        Sampler& sampler() noexcept { return sampler_; }

    private:
        Lines lines_;
        Sampler sampler_ = {};
    };

    explicit Cells(std::size_t count);
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;
    ~Cells();

    /// Returns the row of the calling thread; null if it has none.
    Row* row() noexcept {
        auto* const found = rows_[ThreadNumber::current()].load(std::memory_order_relaxed);
        return found != nullptr ? found : make();
    }
    /// Adds to `row`, which row() returned.
    void add(Row* row, std::size_t cell, std::uint64_t count = 1) noexcept {
        if (row != nullptr) [[likely]]
            row->add(cell, count);
        else shared_[cell].fetch_add(count, std::memory_order_relaxed);
    }
    void add(std::size_t cell, std::uint64_t count = 1) noexcept { add(row(), cell, count); }

    /// Returns the sum of a cell over all threads.
    std::uint64_t sum(std::size_t cell) const noexcept;

private:
    Row* make() noexcept;

    const std::size_t count_;
    Lines shared_;
    std::array<std::atomic<Row*>, ThreadNumber::limit> rows_ = {};  // that of ThreadNumber::none stays null
};

}  // namespace freshet::detail
