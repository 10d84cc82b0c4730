// SPDX-License-Identifier: Apache-2.0
#include <freshet/app.hpp>
#include <freshet/describe.hpp>

#include "broker/app_core.hpp"
#include "broker/broker_core.hpp"
#include "describe/description_builder.hpp"

namespace freshet {

Description Broker::describe() const {
    detail::DescriptionBuilder builder;
    builder.add(*core_);
    return builder.finish();
}

Description App::describe() const {
    detail::DescriptionBuilder builder;
    for (const auto* broker : core_->brokers()) builder.add(broker->core());
    return builder.finish();
}

}  // namespace freshet
