// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <freshet/context.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/extract.hpp>
#include <freshet/subject.hpp>
#include <freshet/subject_template.hpp>

namespace freshet::detail {

/// The targets of a subscriber's publish_to, to which its handler's results go besides the answer.
class Results {
public:
    /// Parses the targets. Adds a problem to `binder` for each one that cannot be filled from `subject`.
    void bind(const std::vector<std::string>& targets, const Subject& subject, Binder& binder);

    bool empty() const noexcept { return targets_.empty(); }
    /// Publishes to every target; stops at the first that fails.
    Expected<void> publish(Link& link, const Message& incoming, const Encoded& encoded, const Headers* headers) const;

private:
    struct Target {
        SubjectTemplate subject;
        std::vector<std::size_t> tokens = {};  // of the incoming subject, one per parameter
    };

    static Expected<void> publish(Link& link, const Target& target, const Message& incoming, const Encoded& encoded,
                                  const Headers* headers);

    std::vector<Target> targets_ = {};
};

}  // namespace freshet::detail
