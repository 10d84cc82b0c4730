// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/failed.hpp>

#include <atomic>

namespace freshet {
namespace {

std::atomic<std::uint64_t> noted = 0;

}  // namespace

void testing::note_failure() noexcept { noted.fetch_add(1, std::memory_order_relaxed); }

namespace detail {

FailureProbe::FailureProbe() noexcept : noted_{noted.load(std::memory_order_relaxed)} {}

bool FailureProbe::failed() const noexcept {
    return std::uncaught_exceptions() > exceptions_ || noted.load(std::memory_order_relaxed) != noted_;
}

}  // namespace detail
}  // namespace freshet
