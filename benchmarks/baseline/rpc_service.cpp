// SPDX-License-Identifier: Apache-2.0
// Answers requests with their own body until it is killed.
#include <thread>

#include "cnats.hpp"

namespace {

void answer(natsConnection* connection, natsSubscription*, natsMsg* message, void*) {
    natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message),
                           natsMsg_GetDataLength(message));
    natsMsg_Destroy(message);
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    auto* const connection = bench::connect(arguments);
    natsSubscription* subscription = nullptr;
    bench::require(natsConnection_Subscribe(&subscription, connection, "bench.rpc", answer, nullptr), "subscribe");
    bench::require(natsConnection_FlushTimeout(connection, 60'000), "flush");
    bench::say_ready();
    std::this_thread::sleep_for(std::chrono::minutes{10});
}
