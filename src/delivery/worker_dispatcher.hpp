// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <freshet/subscriber.hpp>

#include "delivery/dispatcher.hpp"
#include "delivery/workers.hpp"

namespace freshet::detail {

/// Handles messages on threads of the subscriber, as the options `workers`, `ordered_by` and `dedicated` say.
class WorkerDispatcher final : public Dispatcher {
public:
    /// Makes the threads; throws std::system_error if it cannot. `order_token` is the token of the subject that
    /// `options.ordered_by` names, if it names one. `waiting` takes how long messages wait; null: nobody asks.
    WorkerDispatcher(Handling& handling, const SubscriberOptions& options, std::optional<std::size_t> order_token,
                     Clock& clock, Histogram* waiting);

    bool dispatch(Message& message) noexcept override;
    void close() noexcept override { workers_.close(); }
    std::vector<Message> take_waiting() override { return workers_.take_waiting(); }
    std::size_t pending() const noexcept override { return workers_.pending(); }

private:
    Expected<std::size_t> key_of(const Message& message) const;

    Handling& handling_;
    const OrderKey order_;
    const std::optional<std::size_t> order_token_;
    Workers workers_;
};

}  // namespace freshet::detail
