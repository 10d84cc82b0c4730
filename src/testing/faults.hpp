// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <freshet/subject.hpp>
#include <freshet/testing/test_broker.hpp>

namespace freshet::detail {

/// The faults of messages on their way through a MemoryServer: requested one by one, or drawn at random. Thread-safe.
class Faults {
public:
    explicit Faults(testing::MemoryServer& server) : server_{server} {}

    /// Gives the next message on the subjects of the pattern this fate.
    void add(Subject pattern, const testing::Fate& fate);
    /// Draws faults at random from now on. Returns the seed.
    std::uint64_t randomize(const testing::RandomFaults& faults);
    void stop();
    std::optional<std::uint64_t> seed() const;

    /// Returns texts for failed comparisons: the requested faults that have happened, and those that have not.
    std::vector<std::string> notes() const;
    /// Forgets the faults that have happened.
    void clear();

    testing::Fate fate_of(const testing::Passage& passage);
    /// Returns whether a publication is to fail.
    bool fails_publication();

private:
    struct Told {
        Subject pattern;
        testing::Fate fate;
    };

    bool chance(double probability);
    std::chrono::milliseconds some_time();
    testing::Fate draw();
    void disconnect();

    testing::MemoryServer& server_;
    mutable std::mutex mutex_ = {};
    std::vector<Told> told_ = {};
    std::vector<std::string> done_ = {};
    std::optional<testing::RandomFaults> random_ = {};
    std::optional<std::uint64_t> seed_ = {};
    std::mt19937_64 engine_ = {};
    TimerId resume_ = {};
};

}  // namespace freshet::detail
