// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// The outcome of a message after its handler: acknowledged, redelivered, or given up. On core NATS there is nothing to
/// settle: the outcome is counted and logged.
class [[nodiscard]] Outcome {
public:
    enum class Kind : std::uint8_t { ack, nack, term };

    static const Outcome ack;  ///< the message is done with; on JetStream it is acknowledged

    /// Copies the reason only if there is one: nearly every message ends with a copy of `ack`.
    Outcome(const Outcome& other) : delay_{other.delay_}, kind_{other.kind_} {
        if (!other.reason_.empty()) reason_ = other.reason_;
    }
    Outcome(Outcome&&) noexcept = default;
    Outcome& operator=(const Outcome&) = default;
    Outcome& operator=(Outcome&&) noexcept = default;
    ~Outcome() = default;

    /// Returns the outcome "deliver again", after `delay`; with 0, the default, after the pause of js::Retry::backoff.
    /// Use it as `return Outcome::nack(5s);`.
    static Outcome nack(std::chrono::nanoseconds delay = {}) { return {Kind::nack, delay, {}}; }

    /// Returns the outcome "give up", for the reason `why`: the message goes to the dead letters, if there are any.
    static Outcome term(std::string why = {}) { return {Kind::term, {}, std::move(why)}; }

    Kind kind() const noexcept { return kind_; }
    std::chrono::nanoseconds delay() const noexcept { return delay_; }
    std::string_view reason() const noexcept { return reason_; }

    /// Compares the kinds; delay and reason do not count.
    friend bool operator==(const Outcome& a, const Outcome& b) noexcept { return a.kind_ == b.kind_; }

private:
    Outcome(Kind kind, std::chrono::nanoseconds delay, std::string why)
        : reason_{std::move(why)}, delay_{delay}, kind_{kind} {}

    std::string reason_ = {};
    std::chrono::nanoseconds delay_ = {};
    Kind kind_ = Kind::ack;
};

inline const Outcome Outcome::ack{Outcome::Kind::ack, {}, {}};

}  // namespace freshet
