// SPDX-License-Identifier: Apache-2.0
// The metrics module of the package: it links, and tells of a broker.
#include <freshet/freshet.hpp>
#include <freshet/metrics.hpp>

int main() {
    freshet::Broker broker;
    broker.subscriber<"orders.{region}">().handle([](std::string_view) {});
    freshet::Metrics metrics;
    metrics.add(broker, "main");
    const auto text = metrics.text();
    return text.find("freshet_connection_up{broker=\"main\"} 0\n") != std::string::npos &&
                   text.find("freshet_messages_received_total{broker=\"main\",subject=\"orders.{region}\"") !=
                       std::string::npos
               ? 0
               : 1;
}
