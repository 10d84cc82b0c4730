// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "delivery/dispatcher.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {

/// Handles each message in the thread that delivers it. Calls the subscriber directly, not through Handling, because
/// every message takes this path.
class InlineDispatcher final : public Dispatcher {
public:
    explicit InlineDispatcher(SubscriberCore& subscriber) noexcept : subscriber_{subscriber} {}

    bool dispatch(Message& message) noexcept override {
        subscriber_.process(message);
        return true;
    }
    void close() noexcept override { subscriber_.on_emptied(); }
    std::vector<Message> take_waiting() override { return {}; }
    std::size_t pending() const noexcept override { return 0; }

private:
    SubscriberCore& subscriber_;
};

}  // namespace freshet::detail
