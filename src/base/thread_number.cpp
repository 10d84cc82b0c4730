// SPDX-License-Identifier: Apache-2.0
#include "base/thread_number.hpp"

#include <bitset>
#include <mutex>
#include <utility>

namespace freshet::detail {
namespace {

struct Taken {
    std::mutex mutex;
    std::bitset<ThreadNumber::limit> numbers;
};

/// Never destroyed, because threads may end after the statics were.
Taken& taken() {
    static auto* const all = new Taken;
    return *all;
}

unsigned first_free() noexcept {
    auto& all = taken();
    const std::lock_guard lock{all.mutex};
    for (unsigned number = ThreadNumber::none + 1; number < ThreadNumber::limit; ++number) {
        if (all.numbers.test(number)) continue;
        all.numbers.set(number);
        return number;
    }
    return ThreadNumber::none;
}

}  // namespace

/// Holds the number of a thread, and gives it back when the thread ends.
class ThreadNumber::Lease {
public:
    Lease() noexcept { number_ = first_free(); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
        const auto number = std::exchange(number_, none);  // destructors of other objects may still count
        if (number == none) return;
        auto& all = taken();
        const std::lock_guard lock{all.mutex};
        all.numbers.reset(number);
    }

    unsigned number() const noexcept { return number_; }
};

unsigned ThreadNumber::take() noexcept {
    static thread_local const Lease lease;
    return lease.number();
}

}  // namespace freshet::detail
