// SPDX-License-Identifier: Apache-2.0
// Gives jobs and deposits to the workers and checks the results. The exit code is 0 if each job was done once, and the
// deposits of each account were booked in order.
//
//     NATS_URL=nats://localhost:4222 ./producer [PROCESSES]      # while that many ./worker run; default: 1
#include <map>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

#include "work.hpp"

using namespace std::chrono_literals;

constexpr int jobs = 200;
constexpr int deposits = 50;

freshet::Message next_of(freshet::MessageStream& messages) {
    auto message = messages.next(5s);
    if (!message) throw freshet::Error{freshet::Errc::timeout, "nothing came within 5 s; are all the workers running?"};
    return *std::move(message);
}

bool resize(freshet::Broker& broker, freshet::MessageStream& resized) {
    for (int number = 1; number <= jobs; ++number) broker.publish("jobs.resize", Job{number});
    std::map<int, int> times_done;
    std::map<int, int> done_by;
    for (int i = 0; i < jobs; ++i) {
        const auto done = freshet::decode<Done>(next_of(resized));
        ++times_done[done.number];
        ++done_by[done.process];
    }
    for (const auto& [process, count] : done_by) fmt::print("process {} did {} jobs\n", process, count);
    fmt::print("{} processes did {} different jobs\n", done_by.size(), times_done.size());
    return times_done.size() == jobs;
}

bool deposit(freshet::Broker& broker, freshet::MessageStream& booked, int processes) {
    const auto accounts = {"ann", "bob", "cleo"};
    auto deposit = broker.publisher<Job, "accounts.{account}.deposit">();
    for (int number = 1; number <= deposits; ++number)
        for (const char* account : accounts) deposit.publish(Job{number}, account);

    int in_order = 0;
    std::map<std::pair<int, std::string>, int> last;
    for (std::size_t i = 0; i < deposits * accounts.size() * static_cast<std::size_t>(processes); ++i) {
        const auto message = next_of(booked);
        const auto done = freshet::decode<Done>(message);
        if (done.number == ++last[{done.process, std::string{message.subject()}}]) ++in_order;
    }
    const int expected = deposits * static_cast<int>(accounts.size()) * processes;
    fmt::print("{} of {} deposits were booked in order\n", in_order, expected);
    return in_order == expected;
}

int main(int argc, char** argv) try {
    const int processes = argc > 1 ? std::stoi(argv[1]) : 1;
    freshet::Broker broker;
    auto resized = broker.subscriber<"jobs.resized">().messages();
    auto booked = broker.subscriber<"accounts.*.booked">().messages();
    broker.start();
    return resize(broker, resized) && deposit(broker, booked, processes) ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "producer: {}\n", error.what());
    return 1;
}
