// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/extract.hpp>
#include <freshet/logger.hpp>
#include <freshet/subject.hpp>
#include <freshet/subject_template.hpp>
#include <freshet/subscriber.hpp>

#include "link/link.hpp"

namespace freshet::detail {

class Confirmer;

/// The targets of a subscriber's publish_to, to which its handler's results go besides the answer.
class Results {
public:
    /// Parses the targets. Adds a problem to `binder` for each one that cannot be filled from `subject`, or that only a
    /// subscriber of a stream can have, which `stored` says that this one is.
    enum class Stored : std::uint8_t { no, yes };
    void bind(const std::vector<ResultTarget>& targets, const Subject& subject, Stored stored, Traffic& traffic,
              Binder& binder);

    /// Asks which targets streams store, so that they confirm the results. Logs a warning for each target that none
    /// stores. Returns an error if such a target must be stored. Blocks.
    Expected<void> look_up(Confirmer& confirmer, Logger& logger, const std::string& who);

    bool empty() const noexcept { return targets_.empty(); }
    /// Publishes to every target; stops at the first that fails.
    Expected<void> publish(Link& link, const Message& incoming, const Encoded& encoded, const Headers* headers) const;
    /// Publishes to every target as publish() does, but to those that streams store with
    /// `confirmed(subject, headers)`.
    template <class Confirmed>
    Expected<void> publish(Link& link, const Message& incoming, const Encoded& encoded, const Headers* headers,
                           Confirmed&& confirmed) const {
        for (const auto& target : targets_) {
            auto sent = publish_to(target, incoming, headers, [&](std::string_view subject, const Headers* all) {
                if (!confirms(target, subject)) return send(link, target, subject, encoded, all);
                return target.counts->count(link.clock(), [&] { return confirmed(subject, all); });
            });
            if (!sent) return sent;
        }
        return {};
    }

private:
    struct Target {
        SubjectTemplate subject;
        PublishCounts* counts;
        std::vector<std::size_t> tokens = {};  // of the incoming subject, one per parameter
        std::optional<bool> confirm = {};
        Headers headers = {};
        bool all_stored = false;           // streams store all subjects of the target
        std::vector<Subject> stored = {};  // else those that streams store
    };

    /// Fills the target's subject and calls `send(subject, headers)` with the headers of the result, `own`, and those
    /// of the target.
    template <class Send>
    static Expected<void> publish_to(const Target& target, const Message& incoming, const Headers* own, Send&& send) {
        const BufferLease subject;
        if (auto filled = fill(target, incoming, subject->string()); !filled) return filled;
        if (target.headers.empty()) return send(subject->text(), own);
        const auto all = joined(target.headers, own);
        return send(subject->text(), &all);
    }
    /// Returns the headers of a target and those of a result, which take precedence.
    static Headers joined(const Headers& of_target, const Headers* own);
    static Expected<void> fill(const Target& target, const Message& incoming, std::string& subject);
    static Expected<void> send(Link& link, const Target& target, std::string_view subject, const Encoded& encoded,
                               const Headers* headers);
    static bool confirms(const Target& target, std::string_view subject) noexcept;
    static Expected<void> look_up(Target& target, Confirmer& confirmer, Logger& logger, const std::string& who);

    std::vector<Target> targets_ = {};
};

}  // namespace freshet::detail
