// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <freshet/clock.hpp>

namespace freshet {
class Context;
}

namespace freshet::detail {

/// A delivery that is being handled, shared by the thread that handles it and one thread that watches. To enter and
/// leave costs two atomic operations; the handling thread waits only while the watcher reads.
class alignas(64) RunningSlot {
public:
    /// Takes the slot for a delivery. Returns false if another delivery has it.
    bool try_enter(Context& context) noexcept {
        auto word = word_.load(std::memory_order_relaxed);
        if (phase(word) != Phase::free) return false;
        const auto mine = word + next_delivery;
        // Sequentially consistent, as the later check of the handling thread for a watcher must be: see
        // RunningSlots::none.
        if (!word_.compare_exchange_strong(word, with(mine, Phase::entering))) return false;
        context_ = &context;
        word_.store(with(mine, Phase::running), std::memory_order_release);
        return true;
    }
    void leave(std::mutex& reading) noexcept {
        auto word = with(word_.load(std::memory_order_relaxed), Phase::running);
        const auto freed = with(word, Phase::free);
        if (word_.compare_exchange_strong(word, freed, std::memory_order_acq_rel)) return;
        const std::lock_guard wait{reading};
        word_.store(freed, std::memory_order_release);
    }

    bool free() const noexcept { return phase(word_.load()) == Phase::free; }

    /// Calls `overdue(Context&)`, once per delivery, if this function saw the present delivery here at least `after`
    /// ago. The delivery does not end during that call. For the watcher, which holds the mutex that leave() is given.
    template <class F>
    void look(TimePoint now, std::chrono::nanoseconds after, F&& overdue) {
        auto word = word_.load(std::memory_order_acquire);
        if (phase(word) != Phase::running) return;
        if (word != seen_) {
            seen_ = word;
            since_ = now;
            told_ = false;
        }
        if (told_ || now - since_ < after) return;
        if (!word_.compare_exchange_strong(word, with(word, Phase::read), std::memory_order_acq_rel)) return;
        told_ = true;
        overdue(*context_);
        word_.store(word, std::memory_order_release);
    }

private:
    // The word holds the phase, and a number that changes with each delivery.
    enum class Phase : std::uint64_t { free, entering, running, read };
    static constexpr std::uint64_t next_delivery = 4;

    static constexpr std::uint64_t as_bits(Phase phase) noexcept { return static_cast<std::uint64_t>(phase); }
    static constexpr Phase phase(std::uint64_t word) noexcept { return static_cast<Phase>(word % next_delivery); }
    static constexpr std::uint64_t with(std::uint64_t word, Phase phase) noexcept {
        return word / next_delivery * next_delivery + as_bits(phase);
    }

    std::atomic<std::uint64_t> word_ = 0;
    Context* context_ = nullptr;
    std::uint64_t seen_ = 0;  // this and the next two belong to the watcher
    TimePoint since_ = {};
    bool told_ = false;
};

/// As many slots as deliveries ever ran at the same time. A thread usually finds a free slot at its first look.
class RunningSlots {
public:
    RunningSlot& enter(Context& context) {
        thread_local const std::size_t home = threads_++;
        for (Block* block = &first_;;) {
            for (std::size_t i = 0; i < block_size; ++i) {
                auto& slot = block->slots[(home + i) % block_size];
                if (slot.try_enter(context)) return slot;
            }
            block = &after(*block);
        }
    }
    template <class F>
    void for_each(F&& visit) {
        for (Block* block = &first_; block != nullptr; block = block->next.load(std::memory_order_acquire))
            for (auto& slot : block->slots) visit(slot);
    }
    /// Returns true if nothing is being handled. A watcher that first stores that it no longer watches, and then finds
    /// no delivery here, misses none: both operations and those of a handling thread (enter a slot, then load what the
    /// watcher stored) are sequentially consistent, so a delivery that enters later sees that nobody watches.
    bool none() {
        bool none = true;
        for_each([&](RunningSlot& slot) { none = none && slot.free(); });
        return none;
    }

private:
    static constexpr std::size_t block_size = 32;
    struct Block {
        std::array<RunningSlot, block_size> slots = {};
        std::atomic<Block*> next = nullptr;
        std::unique_ptr<Block> owned = {};
    };

    Block& after(Block& block) {
        const std::lock_guard lock{growing_};
        if (block.owned == nullptr) {
            block.owned = std::make_unique<Block>();
            block.next.store(block.owned.get(), std::memory_order_release);
        }
        return *block.owned;
    }

    static inline std::atomic<std::size_t> threads_ = 0;
    Block first_ = {};
    std::mutex growing_ = {};
};

}  // namespace freshet::detail
