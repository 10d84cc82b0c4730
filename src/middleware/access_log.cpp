// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/access_log.hpp>

#include <utility>

#include "delivery/access_log.hpp"

namespace freshet {

Outcome AccessLog::operator()(Context& context, Next next) const {
    return detail::run_logged(context, std::move(next), level_);
}

}  // namespace freshet
