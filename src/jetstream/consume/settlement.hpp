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

/// What becomes of a message: the policy and the retries against what happened. A plain value; thread-safe.
class Settlement {
public:
    Settlement(AckPolicy policy, js::Retry retry) : policy_{policy}, retry_{std::move(retry)} {}

    AckPolicy policy() const noexcept { return policy_; }
    const js::Retry& retry() const noexcept { return retry_; }

    /// Before the handler runs. `deliveries` counts this one. Action::Kind::dead_letter and term: it must not run.
    Action before(std::uint64_t deliveries) const;
    /// After it. `outcome` counts if it `said` so.
    Action after(Ending ending, const Outcome& outcome, std::uint64_t deliveries) const;

private:
    Action follow(const Outcome& outcome, std::uint64_t deliveries) const;
    Action again(std::uint64_t deliveries) const;
    Action give_up(std::uint64_t deliveries) const;
    bool spent(std::uint64_t deliveries) const noexcept;
    /// How long to wait after the delivery with this number.
    std::chrono::nanoseconds backoff(std::uint64_t deliveries) const noexcept;

    AckPolicy policy_;
    js::Retry retry_;
};

}  // namespace freshet::detail
