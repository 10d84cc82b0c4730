// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

namespace freshet::detail {

template <std::size_t I, class T>
struct Slot {
    [[no_unique_address]] T value{};
};
template <class Indices, class... T>
struct SlotsOf;
template <std::size_t... I, class... T>
struct SlotsOf<std::index_sequence<I...>, T...> : Slot<I, T>... {};

/// One value of each type, in the order of the types: a std::tuple that costs the compiler a fraction. It is an
/// aggregate: `Slots<A, B>{{a}, {b}}`.
template <class... T>
using Slots = SlotsOf<std::index_sequence_for<T...>, T...>;

/// Returns the value at place I.
template <std::size_t I, class T>
T& slot(Slot<I, T>& held) noexcept {
    return held.value;
}
template <std::size_t I, class T>
const T& slot(const Slot<I, T>& held) noexcept {
    return held.value;
}

}  // namespace freshet::detail
