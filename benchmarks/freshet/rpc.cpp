// SPDX-License-Identifier: Apache-2.0
// Asks `count` times, `outstanding` at a time: one after the other blocking, more with async.
#include <atomic>
#include <future>
#include <vector>

#include "broker.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Ask = freshet::Client<freshet::Message(std::string_view)>;

/// Requests that keep each other going: each answer sends the next.
class Chain {
public:
    Chain(Ask ask, std::string body, long count)
        : ask_{std::move(ask)}, body_{std::move(body)}, latencies_(static_cast<std::size_t>(count)), count_{count} {}

    void start(int outstanding) {
        for (int i = 0; i < outstanding; ++i) next();
    }
    std::vector<std::chrono::nanoseconds> wait() {
        done_.get_future().wait();
        return std::move(latencies_);
    }

private:
    void next() {
        const auto number = sent_.fetch_add(1);
        if (number >= count_) return;
        ask_.async(body_, [this, begin = Clock::now()](freshet::Expected<freshet::Message> answer) {
            bench::require(answer);
            const auto index = answered_.fetch_add(1);
            latencies_[static_cast<std::size_t>(index)] = Clock::now() - begin;
            next();
            if (index + 1 == count_) done_.set_value();
        });
    }

    Ask ask_;
    std::string body_;
    std::vector<std::chrono::nanoseconds> latencies_;
    long count_;
    std::atomic<long> sent_ = 0;
    std::atomic<long> answered_ = 0;
    std::promise<void> done_ = {};
};

std::vector<std::chrono::nanoseconds> ask_in_turn(const Ask& ask, const std::string& body, long count) {
    std::vector<std::chrono::nanoseconds> latencies;
    latencies.reserve(static_cast<std::size_t>(count));
    for (long i = 0; i < count; ++i) {
        const auto begin = Clock::now();
        bench::require(ask.try_call(body));
        latencies.push_back(Clock::now() - begin);
    }
    return latencies;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    const auto ask = broker.client<freshet::Message(std::string_view)>("bench.rpc");
    ask_in_turn(ask, body, 100);  // warm
    bench::say_ready();
    bench::Measurement measurement;
    if (arguments.outstanding == 1) {
        auto latencies = ask_in_turn(ask, body, arguments.count);
        measurement.report(arguments.count, std::move(latencies));
    } else {
        Chain chain{ask, body, arguments.count};
        chain.start(arguments.outstanding);
        auto latencies = chain.wait();
        measurement.report(arguments.count, std::move(latencies));
    }
}
