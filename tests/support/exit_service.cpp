// SPDX-License-Identifier: Apache-2.0
// A program with a static broker, for tests of how a process ends: exit_service MODE, the server in $NATS_URL.
//   return   starts the broker and returns from main; a static that was made before it still reads an error
//   handler  a handler calls std::exit(3)
//   run      the same while main is in run()
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <freshet/freshet.hpp>

using namespace freshet;
using namespace std::chrono_literals;

namespace {

/// The last static that goes: reads errors, publishes, logs when all the others are gone.
struct Last {
    Broker* broker = nullptr;
    ~Last() {
        const Error error{Errc::timeout, "late"};
        if (error.code() != Condition::timeout || error.code().message() != "timeout") std::abort();
        std::puts("ended");
        std::fflush(stdout);
    }
};

Last last;
Broker& broker() {
    static Broker instance;
    return instance;
}

/// Uses the broker while statics are destroyed.
struct Farewell {
    ~Farewell() { broker().publish("farewell", "bye"); }
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    auto& own = broker();
    own.subscriber<"exit">().handle([](std::string_view) { std::exit(3); });
    if (mode == "run") {
        std::thread publishes{[&] {
            while (!own.running()) std::this_thread::sleep_for(1ms);
            own.publish("exit", "");
        }};
        publishes.detach();
        own.run();
        std::this_thread::sleep_for(1h);  // the handler ends the process
    }
    own.start();
    if (mode == "handler") {
        own.publish("exit", "");
        std::this_thread::sleep_for(1h);
    }
    static const Farewell farewell;
    own.publish("nothing", "");
    return 0;
}
