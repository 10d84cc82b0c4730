// SPDX-License-Identifier: Apache-2.0
#include <freshet/depends.hpp>

#include <tuple>

#include <freshet/logger.hpp>

#include "base/exception_text.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {

DependencyScope::DependencyScope(Context& context) noexcept
    : context_{context}, outer_{ContextAccess::newest_dependency(context)} {}

DependencyScope::~DependencyScope() {
    const auto failed = Outcome::nack();
    while (ContextAccess::newest_dependency(context_) != outer_) {
        try {
            end_newest(failed);
        } catch (...) {
            ContextAccess::subscriber(context_).log_failure(
                context_, FailureLog::Kind::dependency_threw,
                "a dependency threw when it was told that the handler had failed", exception_error());
        }
    }
}

Outcome DependencyScope::end(Outcome outcome) {
    const auto& decided = ContextAccess::decided(context_);
    const bool failed = ContextAccess::failed(context_);
    Outcome told = decided && !failed ? *decided : outcome;
    if (failed && !ContextAccess::rejected(context_)) told = Outcome::nack();
    while (ContextAccess::newest_dependency(context_) != outer_) end_newest(told);
    return outcome;
}

void DependencyScope::end_newest(const Outcome& outcome) {
    auto& newest = *ContextAccess::newest_dependency(context_);
    ContextAccess::remove_newest_dependency(context_);
    newest.end(outcome);
}

}  // namespace freshet::detail
