// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/outgoing.hpp>

namespace freshet::detail {

/// A publish middleware with its type erased, or the last step, which sends. May run on several threads at once.
class PublishStep {
public:
    PublishStep() = default;
    PublishStep(const PublishStep&) = delete;
    PublishStep& operator=(const PublishStep&) = delete;
    virtual ~PublishStep() = default;
    virtual Expected<void> run(Outgoing& out, NextPublish next) = 0;
};

}  // namespace freshet::detail
