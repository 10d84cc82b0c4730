// SPDX-License-Identifier: Apache-2.0
// A program with a static broker, for tests of how a process ends: exit_service MODE, the server in $NATS_URL.
//   return   starts the broker and returns from main; a static that was made before it still reads an error
//   handler  a handler calls std::exit(3)
//   run      a handler calls std::exit(3) while main is in run()
//   worker, batch, answer, deadline, event
//            std::exit(3) is called by a handler on a thread of its subscriber, by a handler of batches, by the
//            function that gets an answer, or is told of a deadline, and by on_event at "connected"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

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
bool exits_at_event = false;
Broker& broker() {
    static Broker instance{{.connect_timeout = 20s, .on_event = [](const ConnectionEvent& event) {
                                if (exits_at_event && event.kind == ConnectionEvent::Kind::connected) std::exit(3);
                            }}};
    return instance;
}

using Numbers = std::vector<int>;

bool echoes() { return broker().request<Numbers>("echo", Numbers{1, 2, 3}) == Numbers{1, 2, 3}; }

/// Uses the broker while statics are destroyed, when the main thread's own objects are gone.
struct Farewell {
    ~Farewell() {
        broker().publish("farewell", "bye");
        if (!echoes() || !echoes()) std::abort();
    }
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    auto& own = broker();
    exits_at_event = mode == "event";
    if (mode == "batch") {
        own.subscriber<"exit">({.batch = {.size = 1}}).handle([](std::span<const std::string>) { std::exit(3); });
    } else {
        own.subscriber<"exit">({.workers = mode == "worker" ? 2U : 0U}).handle([](std::string_view) { std::exit(3); });
    }
    own.subscriber<"mute">().handle([](std::string_view) {});
    own.subscriber<"echo">().handle([](const Numbers& numbers) { return numbers; });
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
    if (mode == "answer" || mode == "deadline") {
        const bool mute = mode == "deadline";
        own.client<void(Numbers)>(mute ? "mute" : "echo")
            .async({.timeout = mute ? 1ms : 20'000ms}, {1}, [](const Expected<void>&) { std::exit(3); });
    } else if (mode != "return") {
        own.publish("exit", "");
    }
    if (mode != "return") std::this_thread::sleep_for(1h);
    static const Farewell farewell;
    own.publish("nothing", "");
    if (!echoes()) std::abort();
    return 0;
}
