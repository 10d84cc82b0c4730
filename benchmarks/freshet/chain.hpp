// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <utility>
#include <vector>

#include "broker.hpp"

namespace bench {

/// Requests that keep each other going: each answer sends the next.
template <class Send>
class Chain {
public:
    /// `send(number, done)` asks, and `done(Expected)` is to be called with the answer.
    Chain(long count, Send send) : send_{std::move(send)}, latencies_(static_cast<std::size_t>(count)), count_{count} {}

    /// How long each request took, once all have their answers.
    std::vector<std::chrono::nanoseconds> run(int outstanding) {
        for (int i = 0; i < outstanding; ++i) next();
        done_.get_future().wait();
        return std::move(latencies_);
    }

private:
    void next() {
        const auto number = sent_.fetch_add(1);
        if (number >= count_) return;
        send_(number, [this, begin = std::chrono::steady_clock::now()](const auto& answer) {
            if (!answer) {
                std::fprintf(stderr, "%s\n", answer.error().what());
                std::exit(1);
            }
            const auto index = answered_.fetch_add(1);
            latencies_[static_cast<std::size_t>(index)] = std::chrono::steady_clock::now() - begin;
            next();
            if (index + 1 == count_) done_.set_value();
        });
    }

    Send send_;
    std::vector<std::chrono::nanoseconds> latencies_;
    long count_;
    std::atomic<long> sent_ = 0;
    std::atomic<long> answered_ = 0;
    std::promise<void> done_ = {};
};

}  // namespace bench
