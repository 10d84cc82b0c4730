// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/clock.hpp>

#include "base/histogram.hpp"
#include "delivery/dispatcher.hpp"

namespace freshet::detail {

struct BatchSettings {
    Batch batch = {};
    std::size_t threads = 1;  ///< threads for the batches; 0: the dispatching threads and the clock's handle them
    std::size_t max_messages = 65'536;              ///< messages that may wait
    std::size_t max_bytes = std::size_t{64} << 20;  ///< bytes of these
    std::shared_ptr<Clock> clock = {};
    Histogram* waiting = nullptr;  ///< takes how long messages wait; null: nobody asks
};

/// Collects messages until they are a batch, and handles batches on threads of its own.
class BatchDispatcher final : public Dispatcher {
public:
    /// Throws std::system_error when a thread cannot be made.
    BatchDispatcher(Handling& handling, const BatchSettings& settings);
    ~BatchDispatcher() override;

    bool dispatch(Message& message) noexcept override;
    void close() noexcept override;
    std::vector<Message> take_waiting() override;
    std::size_t pending() const noexcept override;

private:
    class Collector;
    std::shared_ptr<Collector> collector_;  // shared with its timer
};

}  // namespace freshet::detail
