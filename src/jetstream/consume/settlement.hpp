// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/ack_policy.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/outcome.hpp>

namespace freshet::detail {

/// How the handling of a message ended, for its settlement.
enum class Ending : std::uint8_t {
    succeeded,  ///< the handler returned, and its result was sent
    decided,    ///< an Outcome returned, decided through the Context, or thrown as Ack, Nack, Reject, Skip
    declined,   ///< it answered on purpose that it does not do what was asked, for good
    failed,     ///< it threw, returned an error, or a publication failed
    poison,     ///< it cannot be handled: it does not decode, a path does not parse, no filter matched
};

/// The action that settles a message.
struct Action {
    enum class Kind : std::uint8_t {
        none,  ///< nothing: it is settled already, or the server delivers it again after ack_wait
        ack,
        nak,          ///< deliver it again after `delay`
        term,         ///< never again
        dead_letter,  ///< publish it as a dead letter, then term; if that fails, nak with `delay`
    };

    Kind kind = Kind::none;
    std::chrono::nanoseconds delay = {};

    friend bool operator==(const Action&, const Action&) = default;
};

/// How often a message was tried.
struct Tries {
    std::uint64_t deliveries = 0;  ///< as the server counts, with deliveries that no handler saw
    std::uint64_t attempts = 0;    ///< of this program's handlers, this one included
};

/// Decides what becomes of a message, from the policy, the retries and how its handling ended. A plain value;
/// thread-safe.
class Settlement {
public:
    Settlement(AckPolicy policy, js::Retry retry) : policy_{policy}, retry_{std::move(retry)} {}

    AckPolicy policy() const noexcept { return policy_; }
    const js::Retry& retry() const noexcept { return retry_; }

    /// Returns the action before the handler runs. `deliveries` counts this delivery too. After
    /// Action::Kind::dead_letter or term the handler must not run: the message was delivered so often that it must have
    /// ended the program. A few deliveries above the limit are allowed, because messages that wait for a handler when a
    /// program stops are delivered once more.
    Action before(std::uint64_t deliveries) const;
    /// Returns the action for a message that is given up, for whatever reason.
    Action give_up(std::uint64_t attempts) const;
    /// Returns the action after the handler; uses `outcome` if the ending is `said`.
    Action after(Ending ending, const Outcome& outcome, const Tries& tries) const;

private:
    Action follow(const Outcome& outcome, const Tries& tries) const;
    Action again(const Tries& tries) const;
    bool spent(const Tries& tries) const noexcept;
    /// Returns how long to wait after the attempt with this number.
    std::chrono::nanoseconds backoff(std::uint64_t attempts) const noexcept;

    AckPolicy policy_;
    js::Retry retry_;
};

}  // namespace freshet::detail
