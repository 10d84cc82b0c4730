// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/counter_value.hpp>

#include <freshet/text.hpp>

#include "base/quoted.hpp"

namespace freshet::js {

Expected<std::int64_t> CounterValue::try_number() const {
    if (const auto number = FromText<std::int64_t>::parse(digits)) return *number;
    return failure(Errc::bad_payload, "the counter's value " + detail::quoted(digits) + " is no number of 64 bits");
}

}  // namespace freshet::js
