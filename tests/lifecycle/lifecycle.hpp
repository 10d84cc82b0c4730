// SPDX-License-Identifier: Apache-2.0
// The lifecycle stress: from a seed, a random program of what users may do to brokers at any time, and what must hold
// whatever it did.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace freshet::testing {

enum class Ground : std::uint8_t {
    memory,  ///< a MemoryServer and its virtual clock
    nats,    ///< a nats-server with JetStream and a user who is refused some subjects
};

/// What a run is made of. The same options give the actors the same decisions; which thread comes first is the
/// machine's.
struct LifecycleOptions {
    std::uint64_t seed = 1;
    Ground ground = Ground::memory;
    int actors = 3;  ///< threads that act
    int steps = 40;  ///< of each actor
};

class Place;

/// What was done, and which promises were broken: each a sentence.
struct LifecycleReport {
    std::vector<std::string> broken = {};
    std::uint64_t brokers = 0;
    std::uint64_t subscribers = 0;
    std::uint64_t published = 0;
    std::uint64_t handled = 0;
    std::uint64_t requests = 0;
    std::uint64_t stored = 0;  ///< in the stream, acknowledged
};

/// Runs random programs on one ground, one after the other. A call that does not come back in time ends the process,
/// with the seed and what the call was.
class Lifecycle {
public:
    explicit Lifecycle(Ground ground);
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;
    ~Lifecycle();

    LifecycleReport run(const LifecycleOptions& options);

private:
    std::unique_ptr<Place> place_;
};

}  // namespace freshet::testing
