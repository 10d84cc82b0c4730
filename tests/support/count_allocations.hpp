// SPDX-License-Identifier: Apache-2.0
// Counts every operator new of the process. For one source file of a test: it replaces the operators. What cnats
// allocates with malloc does not count.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace freshet::testing {
inline std::atomic<std::uint64_t> allocations = 0;
}

// GCC takes a free() of what its own operator new gave for a mistake; here both are ours.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
// NOLINTBEGIN(misc-definitions-in-headers): not inline, as the standard wants it of a replacement
void* operator new(std::size_t size) {
    freshet::testing::allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-definitions-in-headers)
