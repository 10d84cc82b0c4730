// SPDX-License-Identifier: Apache-2.0
// Handles `count` messages that another process publishes, with one subscriber, many of one queue group, or one for
// each subject.
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <vector>

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

freshet::SubscriberOptions subscriber_options(const bench::Arguments& arguments) {
    freshet::SubscriberOptions options{.queue = arguments.subscribers > 1 ? "workers" : "",
                                       .max_pending_messages = static_cast<std::size_t>(arguments.count),
                                       .max_pending_bytes = std::size_t{1} << 30};
    if (arguments.dispatch == "dedicated") options.dedicated = true;
    if (arguments.dispatch == "workers" || arguments.dispatch == "ordered") options.workers = 4;
    if (arguments.dispatch == "ordered")
        options.ordered_by = [key = std::size_t{0}](const freshet::Message&) mutable { return key++; };
    return options;
}

void subscribe(freshet::Broker& broker, const std::string& subject, const bench::Arguments& arguments) {
    auto subscriber = broker.subscriber(subject, subscriber_options(arguments));
    if (arguments.lane == "bytes") std::move(subscriber).handle(handle_bytes);
    else if (arguments.lane == "glaze") std::move(subscriber).handle(handle_reflected);
    else std::move(subscriber).handle(handle_declared);
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    wanted = arguments.count;
    std::vector<std::unique_ptr<freshet::Broker>> brokers;
    for (int i = 0; i < arguments.brokers; ++i)
        brokers.push_back(std::make_unique<freshet::Broker>(bench::options(arguments)));
    const auto subjects = bench::subjects_of(arguments);
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        for (int member = 0; member < arguments.subscribers; ++member)
            subscribe(*brokers[i % brokers.size()], subjects[i], arguments);
    }
    for (const auto& broker : brokers) {
        bench::measure(*broker, arguments);
        broker->start();
    }
    bench::say_ready();
    finished.get_future().wait();
    measurement->report(wanted);
}
