// SPDX-License-Identifier: Apache-2.0
// Lists the services on the bus, of whatever language, with what they offer and what they have done.
//
//     NATS_URL=nats://localhost:4222 ./find_services [NAME]
#include <fmt/core.h>
#include <freshet/freshet.hpp>
#include <freshet/services.hpp>

int main(int argc, char** argv) try {
    const std::string name = argc > 1 ? argv[1] : "";  // empty: all
    freshet::Broker broker;
    broker.start();
    const auto services = broker.services();
    for (const auto& info : services.info(name)) {
        const auto& [service, id, version, metadata] = info.service;
        fmt::print("{} {} ({}): {}\n", service, version, id, info.description);
        for (const auto& endpoint : info.endpoints) fmt::print("  {} on {}\n", endpoint.name, endpoint.subject);
    }
    for (const auto& stats : services.stats(name)) {
        for (const auto& endpoint : stats.endpoints) {
            fmt::print("{} {}: {} requests, {} errors{}{}\n", stats.service.name, endpoint.name, endpoint.num_requests,
                       endpoint.num_errors, endpoint.last_error.empty() ? "" : ", the last one ", endpoint.last_error);
        }
    }
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "find_services: {}\n", error.what());
    return 1;
}
