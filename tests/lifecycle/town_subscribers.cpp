// SPDX-License-Identifier: Apache-2.0
// Subscribers and message streams: declared, read, stopped.
#include <array>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/jetstream.hpp>

#include "town.hpp"

namespace freshet::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> words{"a", "b", "c", "d"};

}  // namespace

std::string Town::subject(Random& random) {
    return fmt::format("{}.t.{}", prefix_, words[below(random, words.size())]);
}

void Town::declare(const Shared& citizen, Random& random) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr) return;
    const Watchdog::Call call{dog_, "declaring a subscriber"};
    auto trade = std::make_shared<Trade>();
    try {
        auto made = chance(random, 20) ? declare_stored(*citizen->broker, citizen, trade, random)
                                       : declare_core(*citizen->broker, citizen, trade, random);
        ++notes_.subscribers;
        const std::lock_guard lock{citizen->mutex};
        trade->what = std::string{made.subject()};
        trade->subscriber = std::move(made);
        citizen->trades.push_back(std::move(trade));
    } catch (const Error&) {}  // stopped, refused, no server
}

Subscriber Town::declare_core(Broker& broker, const Shared& citizen, const std::shared_ptr<Trade>& trade,
                              Random& random) {
    const std::weak_ptr weak{citizen};
    const auto handler = [this, weak, trade, alive = handlers_.token("a core subscriber"),
                          seed = random()](const Message& message) { return handle(weak, *trade, message, seed); };
    switch (below(random, 8)) {
        case 0:
        case 1: return broker.subscriber(subject(random)).handle(handler);
        case 2: return broker.subscriber(subject(random), {.dedicated = true}).handle(handler);
        case 3:
            trade->threads = 3;
            return broker.subscriber(subject(random), {.queue = "q", .workers = 3}).handle(handler);
        case 4:
            trade->threads = 2;
            return broker
                .subscriber(prefix_ + ".t.{word}", {.workers = 2, .ordered_by = "word", .max_pending_messages = 50})
                .handle(handler);
        case 5:
            trade->threads = 2;
            return broker
                .subscriber(subject(random),
                            {.workers = 2, .max_pending_messages = 100, .batch = {.size = 5, .within = 20ms}})
                .handle([this, weak, trade, alive = handlers_.token("a subscriber of batches")](
                            std::span<const std::string> all) { enter(weak, *trade, all.size()); });
        case 6: return broker.subscriber(subject(random), {.max_messages = 1 + below(random, 20)}).handle(handler);
        default: return broker.subscriber("deny.x").handle(handler);
    }
}

Subscriber Town::declare_stored(Broker& broker, const Shared& citizen, const std::shared_ptr<Trade>& trade,
                                Random& random) {
    const std::weak_ptr weak{citizen};
    const auto stream = "S_" + prefix_;
    const auto subject = prefix_ + ".js.>";
    const js::Retry retry{.backoff = {5ms}};
    const auto workers = 1 + below(random, 3);
    const auto enters = [this, weak, trade, alive = handlers_.token("an ordered or push subscriber")](const Message&) {
        enter(weak, *trade, 1);
    };
    if (chance(random, 20)) return broker.subscriber(subject, js::Ordered{.stream = stream}).handle(enters);
    trade->threads = workers;
    if (chance(random, 20))
        return broker
            .subscriber(subject,
                        js::Push{
                            .stream = stream, .durable = "push", .queue = "push", .workers = workers, .retry = retry})
            .handle(enters);
    return broker.subscriber(subject, js::Pull{.stream = stream, .durable = "pull", .workers = workers, .retry = retry})
        .handle([this, weak, trade, alive = handlers_.token("a pull subscriber"),
                 seed = random()](const Message& message) {
            Random inner{seed + ++messages_};
            enter(weak, *trade, 1);
            if (chance(inner, 10)) throw std::runtime_error{"planted"};
            if (chance(inner, 5)) throw Nack{};
            notes_.handled(message.text());
        });
}

void Town::stop_subscriber(Citizen& citizen, Random& random) {
    std::shared_ptr<Trade> trade;
    std::optional<Subscriber> subscriber;
    {
        const std::lock_guard lock{citizen.mutex};
        if (citizen.trades.empty()) return;
        trade = citizen.trades[below(random, citizen.trades.size())];
        subscriber = trade->subscriber;
    }
    if (!subscriber) return;
    const Watchdog::Call call{dog_, "Subscriber::stop"};
    const auto began = place_.now();
    subscriber->stop();
    if (depth == 0 && place_.now() - began < stop_timeout) trade->stopped = true;  // it has not given up
}

void Town::open_stream(const Shared& citizen, Random& random) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr) return;
    const Watchdog::Call call{dog_, "opening a message stream"};
    try {
        auto stream = std::make_unique<MessageStream>(citizen->broker->subscriber(subject(random)).messages());
        const std::lock_guard lock{citizen->mutex};
        citizen->streams.push_back(std::move(stream));
    } catch (const Error&) {}
}

void Town::read_stream(const Shared& citizen, Random& random) {
    const std::shared_lock living{citizen->living, std::try_to_lock};
    if (!living || citizen->broker == nullptr) return;
    std::unique_ptr<MessageStream> stream;
    {
        const std::lock_guard lock{citizen->mutex};
        if (citizen->streams.empty()) return;
        std::swap(citizen->streams[below(random, citizen->streams.size())], citizen->streams.back());
        stream = std::move(citizen->streams.back());
        citizen->streams.pop_back();
    }
    {
        const Watchdog::Call call{dog_, "MessageStream::next"};
        for (int i = 0; i < 3 && stream->next(10ms); ++i) {}
    }
    if (chance(random, 50)) {
        const Watchdog::Call call{dog_, "the end of a message stream"};
        stream.reset();
        return;
    }
    const std::lock_guard lock{citizen->mutex};
    citizen->streams.push_back(std::move(stream));
}

}  // namespace freshet::testing
