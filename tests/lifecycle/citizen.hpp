// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include <freshet/freshet.hpp>

namespace freshet::testing {

/// One subscriber of a citizen, as its handler sees it.
struct Trade {
    std::string what = {};
    std::size_t threads = 1;  // handlers that may run at a time
    std::atomic<std::uint64_t> entered = 0;
    std::atomic<std::uint64_t> late = 0;        // calls of the handler that began after a stop had given up
    std::atomic<bool> stopped = false;          // Subscriber::stop() has returned in time
    std::optional<Subscriber> subscriber = {};  // under the citizen's mutex
};

/// One broker and what belongs to it. Calls hold `living` shared, the end of the broker alone.
///
/// No lock but `living` may be held during a call of freshet's: a thread that waits for a virtual clock runs handlers
/// meanwhile, which take the locks, too.
struct Citizen {
    std::shared_mutex living = {};
    std::unique_ptr<Broker> broker = {};
    /// Calls that may have been the stop that took effect: those that began before one had.
    std::atomic<int> contenders = 0;
    std::atomic<bool> clean = false;    // a stop outside of callbacks has said true
    std::atomic<bool> gave_up = false;  // the stop that took effect has said false
    std::mutex mutex = {};              // for the members below
    std::string verdict = {};           // of the stop that took effect, for messages
    std::vector<std::shared_ptr<Trade>> trades = {};
    std::vector<std::unique_ptr<MessageStream>> streams = {};
};

}  // namespace freshet::testing
