// SPDX-License-Identifier: Apache-2.0
// Publications and requests.
#include <chrono>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include <freshet/jetstream.hpp>

#include "town.hpp"

namespace freshet::testing {

using namespace std::chrono_literals;

void Town::publish(const Shared& citizen, Random& random) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr) return;
    const Watchdog::Call call{dog_, "publish"};
    const auto count = 1 + below(random, 20);
    for (std::size_t i = 0; i < count; ++i)
        notes_.published += citizen->broker->try_publish(subject(random), std::string_view{"x"}).has_value() ? 1 : 0;
    if (chance(random, 5)) std::ignore = citizen->broker->try_publish("deny.x", std::string_view{"x"});
}

void Town::store(const Shared& citizen) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr || depth > 0) return;
    const Watchdog::Call call{dog_, "js publish"};
    const auto id = std::to_string(++last_id_);
    const auto ack = citizen->broker->jetstream({.timeout = 500ms})
                         .try_publish(fmt::format("{}.js.{}", prefix_, id), std::string_view{id}, {.id = id});
    if (ack) notes_.stored(id);
}

void Town::ask(const Shared& citizen, Random& random) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr) return;
    auto& broker = *citizen->broker;
    ++notes_.requests;
    switch (below(random, 3)) {
        case 0: {
            const Watchdog::Call call{dog_, "request"};
            std::ignore = broker.try_request<Message>(subject(random), std::string_view{"?"}, {.timeout = 50ms});
            return;
        }
        case 1: return ask_async(citizen, random);
        default: {
            const Watchdog::Call call{dog_, "request_many"};
            try {
                auto replies = broker.request_many<Message>(subject(random), std::string_view{"?"},
                                                            {.timeout = 40ms, .stall = 10ms});
                while (replies.next()) {}
            } catch (const Error&) {}
        }
    }
}

void Town::ask_async(const Shared& citizen, Random& random) {
    const Watchdog::Call call{dog_, "async"};
    auto once = std::make_shared<Once>(notes_, "the function given to async");
    const auto answered = [this, once, alive = answers_.token("a function for an answer"), seed = random(),
                           weak = std::weak_ptr{citizen}](const Expected<Message>&) {
        once->call();
        const Inside inside;
        Random inner{seed};
        const auto asker = weak.lock();
        if (asker == nullptr || winding_down_) return;
        if (chance(inner, 30)) publish(asker, inner);
        else if (chance(inner, 5)) stop(*asker, 1s);
        else if (chance(inner, 5)) destroy(asker);
    };
    citizen->broker->client<Message(const std::string&)>(subject(random), {.timeout = 50ms})
        .async(std::string{"?"}, answered);
}

}  // namespace freshet::testing
