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
            const BufferLease subject;
            Headers room;
            const auto* const all = headers_for(target, headers, room);
            auto sent = fill(target, incoming, subject->string());
            if (sent && confirms(target, subject->text()))
                sent = target.counts->count(link.clock(), [&] { return confirmed(subject->text(), all); });
            else if (sent) sent = send(link, target, subject->text(), encoded, all);
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

    /// Returns the headers of a result, `own`, and those of the target; in `room` if there are both.
    static const Headers* headers_for(const Target& target, const Headers* own, Headers& room);
    static Expected<void> fill(const Target& target, const Message& incoming, std::string& subject);
    static Expected<void> send(Link& link, const Target& target, std::string_view subject, const Encoded& encoded,
                               const Headers* headers);
    static bool confirms(const Target& target, std::string_view subject) noexcept;
    static Expected<void> look_up(Target& target, Confirmer& confirmer, Logger& logger, const std::string& who);

    std::vector<Target> targets_ = {};
};

}  // namespace freshet::detail
