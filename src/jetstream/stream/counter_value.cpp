// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/counter_value.hpp>

#include <charconv>

#include "base/quoted.hpp"

namespace freshet::js {

Expected<std::int64_t> CounterValue::try_number() const {
    std::int64_t number = 0;
    const auto* end = digits.data() + digits.size();
    const auto [read, fault] = std::from_chars(digits.data(), end, number);
    if (fault == std::errc{} && read == end) return number;
    return failure(Errc::bad_payload, "the counter's value " + detail::quoted(digits) + " is no number of 64 bits");
}

}  // namespace freshet::js
