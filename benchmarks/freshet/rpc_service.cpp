// SPDX-License-Identifier: Apache-2.0
// Answers requests with their own body until it is killed.
#include "broker.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    freshet::Broker broker{bench::options(arguments)};
    broker.subscriber<"bench.rpc">().handle([](std::string_view body) { return body; });
    bench::measure(broker, arguments);
    broker.start();
    bench::say_ready();
    broker.subscriber<"bench.quit">().messages().next();
}
