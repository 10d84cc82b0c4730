// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "jetstream/consume/delivery_policy.hpp"

namespace freshet::detail {

/// The policy of a push consumer (ADR-9, ADR-15). With flow control, lets the server wait while many messages are in
/// hand; with heartbeats, notices the server's silence.
class PushFlow final : public DeliveryPolicy {
public:
    DeliveryInbox open_inbox(const DeliveryTarget& target) override;
    void begin(const DeliveryTarget& target, TimePoint now) override;
    std::optional<DeliverySignal> next(TimePoint now) override;
    bool received(const Message& message, const Metadata& metadata, TimePoint now) override;
    void handled(const Settled& settled, TimePoint now) override;
    DeliveryVerdict status(const Message& message, TimePoint now) override;
    void disconnected() noexcept override { connected_ = false; }
    void stop() noexcept override { stopped_ = true; }
    bool overdue(TimePoint now) const noexcept override;
    std::optional<TimePoint> deadline() const noexcept override;

private:
    bool full() const noexcept;
    bool listens() const noexcept { return connected_ && !stopped_ && heartbeat_.count() > 0; }

    std::chrono::nanoseconds heartbeat_ = {};
    std::size_t in_hand_ = 0;
    std::size_t bytes_in_hand_ = 0;
    std::string flow_reply_ = {};  // subject of the answer for which the server waits; empty: it waits for none
    TimePoint alive_ = {};         // the last sign of life
    bool connected_ = true;
    bool stopped_ = false;
};

}  // namespace freshet::detail
