// SPDX-License-Identifier: Apache-2.0
// Handles `count` messages that another process publishes, with one subscription, many of one queue group, or one for
// each subject, in cnats's default way: a thread each.
#include <atomic>
#include <future>
#include <optional>
#include <string_view>

#include "cnats.hpp"
#include "json.hpp"

namespace {

std::atomic<long> handled = 0;
std::atomic<long> seen = 0;
std::optional<bench::Measurement> measurement;
std::promise<void> finished;
long wanted = 0;

void count() {
    const auto number = handled.fetch_add(1, std::memory_order_relaxed) + 1;
    if (number == 1) measurement.emplace();
    if (number == wanted) finished.set_value();
}

std::string_view body_of(natsMsg* message) {
    return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

void on_bytes(natsConnection*, natsSubscription*, natsMsg* message, void*) {
    seen.store(static_cast<long>(body_of(message).size()), std::memory_order_relaxed);
    natsMsg_Destroy(message);
    count();
}
void on_nlohmann(natsConnection*, natsSubscription*, natsMsg* message, void*) {
    const auto order = nlohmann::json::parse(body_of(message)).get<bench::DeclaredOrder>();
    seen.store(static_cast<long>(order.lines.size()), std::memory_order_relaxed);
    natsMsg_Destroy(message);
    count();
}
void on_glaze(natsConnection*, natsSubscription*, natsMsg* message, void*) {
    bench::Order order;
    if (glz::read_json(order, body_of(message))) std::abort();
    seen.store(static_cast<long>(order.lines.size()), std::memory_order_relaxed);
    natsMsg_Destroy(message);
    count();
}

void subscribe(natsConnection* connection, const std::string& subject, bool in_queue, natsMsgHandler callback) {
    natsSubscription* subscription = nullptr;
    bench::require(in_queue ? natsConnection_QueueSubscribe(&subscription, connection, subject.c_str(), "workers",
                                                            callback, nullptr)
                            : natsConnection_Subscribe(&subscription, connection, subject.c_str(), callback, nullptr),
                   "subscribe");
    bench::require(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    wanted = arguments.count;
    std::vector<natsConnection*> connections(static_cast<std::size_t>(arguments.brokers));
    for (auto& connection : connections) connection = bench::connect(arguments);
    const auto callback = arguments.lane == "bytes" ? on_bytes : arguments.lane == "glaze" ? on_glaze : on_nlohmann;
    const auto subjects = bench::subjects_of(arguments);
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        for (int member = 0; member < arguments.subscribers; ++member)
            subscribe(connections[i % connections.size()], subjects[i], arguments.subscribers > 1, callback);
    }
    for (auto* const connection : connections) bench::require(natsConnection_FlushTimeout(connection, 60'000), "flush");
    bench::say_ready();
    finished.get_future().wait();
    measurement->report(wanted);
    std::_Exit(0);  // a thousand threads need not be joined
}
