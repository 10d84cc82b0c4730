// SPDX-License-Identifier: Apache-2.0
// Handles `count` messages that another process publishes, with one subscriber or many of one queue group.
#include <atomic>
#include <future>
#include <optional>

#include "broker.hpp"

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

void handle_bytes(std::string_view body) {
    seen.store(static_cast<long>(body.size()), std::memory_order_relaxed);
    count();
}
void handle_declared(const bench::DeclaredOrder& order) {
    seen.store(static_cast<long>(order.lines.size()), std::memory_order_relaxed);
    count();
}
void handle_reflected(const bench::Order& order) {
    seen.store(static_cast<long>(order.lines.size()), std::memory_order_relaxed);
    count();
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    wanted = arguments.count;
    freshet::Broker broker{bench::options(arguments)};
    const freshet::SubscriberOptions options{.queue = arguments.subscribers > 1 ? "workers" : "",
                                             .max_pending_messages = static_cast<std::size_t>(wanted),
                                             .max_pending_bytes = std::size_t{1} << 30};
    for (int i = 0; i < arguments.subscribers; ++i) {
        if (arguments.lane == "bytes") broker.subscriber<"bench.x">(options).handle(handle_bytes);
        else if (arguments.lane == "glaze") broker.subscriber<"bench.x">(options).handle(handle_reflected);
        else broker.subscriber<"bench.x">(options).handle(handle_declared);
    }
    broker.start();
    bench::say_ready();
    finished.get_future().wait();
    measurement->report(wanted);
}
