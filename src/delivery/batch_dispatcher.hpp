// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/clock.hpp>

#include "delivery/dispatcher.hpp"

namespace freshet::detail {

struct BatchSettings {
    Batch batch = {};
    std::size_t threads = 1;  ///< batches handled at the same time; 0: in the threads that dispatch, and the clock's
    std::size_t max_messages = 65'536;  ///< waiting
    std::size_t max_bytes = std::size_t{64} << 20;
    std::shared_ptr<Clock> clock = {};
};

/// Collects messages until they are a batch, and has batches handled on threads of its own.
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
