// SPDX-License-Identifier: Apache-2.0
#include "lifecycle.hpp"

#include "place.hpp"
#include "town.hpp"

namespace freshet::testing {

Lifecycle::Lifecycle(Ground ground) : place_{std::make_unique<Place>(ground)} {}
Lifecycle::~Lifecycle() = default;

LifecycleReport Lifecycle::run(const LifecycleOptions& options) {
    place_->begin();
    auto report = Town{*place_, options}.run();
    place_->end();
    return report;
}

}  // namespace freshet::testing
