// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/error.hpp>
#include <freshet/stats.hpp>

#include "base/cells.hpp"
#include "base/histogram.hpp"

namespace freshet::detail {

/// What programs do with a bucket.
enum class StoreOperation : std::uint8_t {
    get,
    info,
    put,
    create,
    update,
    erase,
    purge,
    list,
    watch,
    link,
    seal,
    status
};

inline constexpr std::array store_operations{"get",   "info", "put",   "create", "update", "delete",
                                             "purge", "list", "watch", "link",   "seal",   "status"};

/// Counts the operations on one bucket. Thread-safe, without locks.
class StoreCounts {
public:
    StoreCounts(std::string_view store, std::string_view bucket, const Measuring* measuring);

    /// Measures durations from now on. Call it once at most, before the broker starts.
    void measure(const Measuring& measuring);

    /// Counts an operation that began at `begin`.
    void end(const Clock& clock, StoreOperation operation, TimePoint begin, bool ok) noexcept;

    const std::string& store() const noexcept { return store_; }
    const std::string& bucket() const noexcept { return bucket_; }
    /// Adds the operations that there were to `all`.
    void add_to(std::vector<StoreStats>& all) const;

private:
    using Durations = std::array<std::unique_ptr<Histogram>, store_operations.size()>;

    const std::string store_;
    const std::string bucket_;
    Cells cells_{2 * store_operations.size()};  // ok and failed of each operation
    std::unique_ptr<Durations> owned_;
    std::atomic<Durations*> durations_ = nullptr;
};

/// One operation under way: counts it as failed at its end unless succeed() was called.
class StoreTimer {
public:
    /// Begins now. Shares counts and clock, because the broker may be gone when the answer has come.
    StoreTimer(std::shared_ptr<StoreCounts> counts, std::shared_ptr<Clock> clock, StoreOperation operation) noexcept
        : counts_{std::move(counts)}, clock_{std::move(clock)}, operation_{operation}, begin_{clock_->now()} {}
    StoreTimer(StoreTimer&& other) noexcept = default;
    StoreTimer& operator=(StoreTimer&&) = delete;
    ~StoreTimer() {
        if (counts_ != nullptr) counts_->end(*clock_, operation_, begin_, ok_);
    }

    void succeed() noexcept { ok_ = true; }

    /// Calls `act()`, which may return an Expected or throw, and returns the same.
    template <class Act>
    auto run(Act&& act) -> decltype(act()) {
        using Result = decltype(act());
        if constexpr (std::is_void_v<Result>) {
            act();
            succeed();
        } else {
            auto result = act();
            ok_ = is_ok(result);
            return result;
        }
    }

private:
    template <class T>
    static bool is_ok(const T&) noexcept {
        return true;
    }
    template <class T>
    static bool is_ok(const Expected<T>& result) noexcept {
        return result.has_value();
    }

    std::shared_ptr<StoreCounts> counts_;
    std::shared_ptr<Clock> clock_;
    StoreOperation operation_;
    TimePoint begin_;
    bool ok_ = false;
};

}  // namespace freshet::detail
