// SPDX-License-Identifier: Apache-2.0
// Calls remote functions: one call, an error of the service, a deadline, many calls in flight, an answer from every
// server.
//
//     NATS_URL=nats://localhost:4222 ./rpc_client [SERVERS]      # while that many ./rpc_server run; default: 1
#include <vector>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

#include "calc.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
    const std::size_t servers = argc > 1 ? std::stoul(argv[1]) : 1;
    freshet::Broker broker;
    broker.start();

    // Calls a remote function. Throws RemoteError for an error that the service answered, Error for any other.
    const auto divide = broker.client<Quotient(const Division&)>("calc.divide");
    fmt::print("10 / 4 = {}\n", divide({.number = 10, .by = 4}).value);
    try {
        divide({.number = 10, .by = 0});
    } catch (const freshet::RemoteError& error) {
        fmt::print("10 / 0: code {}, {}\n", error.remote_code(), error.what());
    }

    // try_call never throws. The condition says what the caller can do.
    const auto slow = broker.client<Quotient()>("calc.slow", {.timeout = 50ms});
    const auto value = slow.try_call();
    if (!value && value.error().code() == freshet::Condition::timeout) fmt::print("slow: {}\n", value.error().what());

    // Has a thousand calls in flight at once. Each has its own deadline.
    std::vector<freshet::Future<Quotient>> quotients;
    for (int i = 0; i < 1000; ++i) quotients.push_back(divide.async({.number = 1.0 * i, .by = 2}));
    double sum = 0;
    for (auto& quotient : quotients) sum += quotient.get().value;
    fmt::print("sum of 1000 halves: {}\n", sum);

    // Sends one request and collects many answers, until all servers have answered or the time is over.
    std::uint64_t divisions = 0;
    std::size_t answers = 0;
    for (const Status& status :
         broker.request_many<Status>("calc.status", "", {.timeout = 2s, .max_replies = servers})) {
        fmt::print("server {}: {} divisions\n", status.process, status.divisions);
        divisions += status.divisions;
        ++answers;
    }
    fmt::print("{} servers, {} divisions\n", answers, divisions);
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "rpc_client: {}\n", error.what());
    return 1;
}
