// SPDX-License-Identifier: Apache-2.0
// A service for tests of how a process ends: stop_service MODE, the server in $NATS_URL.
//   work   handles work.KIND.* in every kind of subscriber; each message has its effect, a publication to effect.KIND.
//   Says
//          "received KIND N" at the end
//   hang   its handler never returns; says "handling" in it. The deadline of the stop is short
//   wait   the same with a long deadline
//   read   its handler reads from a pipe while the signal comes; says how that ended
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <csignal>
#include <fmt/core.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <freshet/freshet.hpp>

using namespace freshet;
using namespace std::chrono_literals;

namespace {

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

int run(Broker& broker, char* program) {
    char* arguments[] = {program, nullptr};
    return App{broker}.run(1, arguments);
}

int work(Broker& broker, char* program) {
    const std::vector<std::pair<std::string, SubscriberOptions>> kinds{{"plain", {}},
                                                                       {"workers", {.workers = 3}},
                                                                       {"ordered", {.workers = 3, .ordered_by = "n"}},
                                                                       {"dedicated", {.dedicated = true}}};
    std::vector<std::pair<std::string, Subscriber>> subscribers;
    for (const auto& [kind, options] : kinds) {
        subscribers.emplace_back(kind, broker.subscriber("work." + kind + ".{n}", options)
                                           .publish_to("effect." + kind)
                                           .handle([](std::string_view body) { return std::string{body}; }));
    }
    const int code = run(broker, program);
    for (const auto& [kind, subscriber] : subscribers)
        say(fmt::format("received {} {}", kind, subscriber.stats().received));
    return code;
}

int hang(Broker& broker, char* program) {
    broker.subscriber<"work.>">().handle([](std::string_view) {
        say("handling");
        while (true) std::this_thread::sleep_for(1h);
    });
    const int code = run(broker, program);
    say(fmt::format("run returned {}", code));
    return code;
}

int read(Broker& broker, char* program) {
    int ends[2] = {};
    if (::pipe(ends) != 0) return errno;
    broker.subscriber<"work.>">({.dedicated = true, .max_messages = 1})
        .handle([&](std::string_view, std::stop_token stop) {
            const auto reader = ::pthread_self();
            const std::jthread other{[&] {
                ::pthread_kill(reader, SIGTERM);
                while (!stop.stop_requested()) std::this_thread::yield();
                (void)!::write(ends[1], "x", 1);
            }};
            char byte = 0;
            const auto size = ::read(ends[0], &byte, 1);
            say(size == 1 ? "the read went on" : fmt::format("the read failed: {}", std::strerror(errno)));
        });
    return run(broker, program);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc == 2 ? argv[1] : "";
    spdlog::default_logger()->flush_on(spdlog::level::info);
    const std::chrono::milliseconds stop_timeout = mode == "hang" ? 100ms : 60s;
    Broker broker{{.start_timeout = 1h, .stop_timeout = stop_timeout}};
    if (mode == "work") return work(broker, argv[0]);
    if (mode == "hang" || mode == "wait") return hang(broker, argv[0]);
    if (mode == "read") return read(broker, argv[0]);
    return 2;
}
