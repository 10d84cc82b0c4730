// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/ack_policy.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/outcome.hpp>

namespace freshet::detail {

/// How the handling of a message ended, as far as its settlement is concerned.
enum class Ending : std::uint8_t {
    succeeded,  ///< the handler returned, and what it returned was sent
    said,       ///< an Outcome returned, decided through the Context, or thrown as Ack, Nack, Reject, Skip
    failed,     ///< it threw, returned an error, or a publication failed
    poison,     ///< it cannot be handled: it does not decode, a path does not parse, no filter matched
};

/// What to do with a message.
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
    std::uint64_t deliveries = 0;  ///< as the server counts them, with those that no handler saw
    std::uint64_t attempts = 0;    ///< of this program's handlers, this one included
};

/// What becomes of a message: the policy and the retries against what happened. A plain value; thread-safe.
class Settlement {
public:
    Settlement(AckPolicy policy, js::Retry retry) : policy_{policy}, retry_{std::move(retry)} {}

    AckPolicy policy() const noexcept { return policy_; }
    const js::Retry& retry() const noexcept { return retry_; }

    /// Before the handler runs. `deliveries` counts this one. Action::Kind::dead_letter and term: it must not run,
    /// since the message was delivered so often that it must have ended the program. Not sooner: messages that wait for
    /// a handler when a program stops are delivered once more, too, and are not given up for that.
    Action before(std::uint64_t deliveries) const;
    /// For a message that is given up, whatever the reason.
    Action give_up(std::uint64_t attempts) const;
    /// After it. `outcome` counts if it `said` so.
    Action after(Ending ending, const Outcome& outcome, const Tries& tries) const;

private:
    Action follow(const Outcome& outcome, const Tries& tries) const;
    Action again(const Tries& tries) const;
    bool spent(const Tries& tries) const noexcept;
    /// How long to wait after the attempt with this number.
    std::chrono::nanoseconds backoff(std::uint64_t attempts) const noexcept;

    AckPolicy policy_;
    js::Retry retry_;
};

}  // namespace freshet::detail
