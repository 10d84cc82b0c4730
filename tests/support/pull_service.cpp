// SPDX-License-Identifier: Apache-2.0
// A service that holds the messages it gets until it is killed: pull_service URL STREAM DURABLE
#include <cstdio>
#include <latch>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

int main(int, char** argv) {
    freshet::Broker broker{{.servers = {argv[1]}}};
    std::latch never{1};
    broker.subscriber<"orders.*">(freshet::js::Pull{.stream = argv[2], .durable = argv[3], .prefetch = 5})
        .handle([&](std::string_view body) {
            std::printf("holds %.*s\n", static_cast<int>(body.size()), body.data());
            std::fflush(stdout);
            never.wait();
        });
    broker.run();
}
