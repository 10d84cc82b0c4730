// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <freshet/freshet.hpp>
#include <freshet/metrics.hpp>
#include <spdlog/spdlog.h>

#include "../support/bench.hpp"
#include "../support/order.hpp"

namespace bench {

FRESHET_JSON(DeclaredLine, sku, quantity, price);
FRESHET_JSON(DeclaredOrder, id, customer, region, lines, total, paid);

/// How every program connects; quiet, for the runner's table.
inline freshet::BrokerOptions options(const Arguments& arguments) {
    freshet::BrokerOptions options{.servers = {arguments.url}, .request_timeout = std::chrono::seconds{30}};
    options.io_buffer_bytes = arguments.buffer;
    if (arguments.envelope == "full") options.envelope = freshet::Envelope::full;
    options.logger = std::make_shared<spdlog::logger>("bench");
    return options;
}

/// Gives the broker Metrics if the case says so. Call it before start().
inline void measure(freshet::Broker& broker, const Arguments& arguments) {
    static freshet::Metrics metrics;
    static int brokers = 0;
    if (arguments.metrics != 0) metrics.add(broker, std::to_string(++brokers));
}

/// Ends the program when an operation failed.
template <class T>
void require(const freshet::Expected<T>& result) {
    if (result) return;
    std::fprintf(stderr, "%s\n", result.error().what());
    std::exit(1);
}

}  // namespace bench
