// SPDX-License-Identifier: Apache-2.0
#include "place.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "broker/broker_core.hpp"

namespace freshet::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto redelivery_time = 90s;  // longer than ack_wait

}  // namespace

Place::Place(Ground ground) : ground_{ground} {
    if (ground == Ground::nats) {
        server_.emplace(ServerOptions{.config =
                                          "authorization { users = [ { user: u, password: p, permissions: { publish: { "
                                          "deny: [\"deny.>\"] }, subscribe: { deny: [\"deny.>\"] } } } ] }\n",
                                      .jetstream = true});
        url_ = server_->url("u", "p");
    }
}

void Place::begin() {
    if (ground_ == Ground::memory) memory_.emplace();
}

void Place::end() { memory_.reset(); }

BrokerOptions Place::options() const {
    static const auto silent =
        std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
    BrokerOptions options{.servers = {url_},
                          .connect_timeout = 1'000ms,
                          .start_timeout = 2'000ms,
                          .stop_timeout = stop_timeout,
                          .request_timeout = 200ms,
                          .logger = silent};
    options.reconnect.min_wait = 5ms;
    options.reconnect.max_wait = 20ms;
    return options;
}

std::unique_ptr<Broker> Place::make_broker(BrokerOptions options) {
    auto broker = std::make_unique<Broker>(std::move(options));
    if (memory_)
        broker->core().prepare({.make_transport = [this](const BrokerOptions& o) { return memory_->connect(o); },
                                .clock = memory_->shared_clock()});
    return broker;
}

TimePoint Place::now() const {
    return memory_ ? memory_->clock().now() : TimePoint{std::chrono::steady_clock::now().time_since_epoch()};
}

void Place::interrupt(std::chrono::milliseconds time) {
    memory_->interrupt();
    std::this_thread::sleep_for(time);
    memory_->resume();
}

void Place::restart() { server_->restart(); }

void Place::wait_for_redeliveries(const std::function<bool(std::chrono::milliseconds)>& done) {
    const auto deadline = now() + redelivery_time;
    if (!memory_) {
        done(redelivery_time);
        return;
    }
    while (!done(0ms) && now() < deadline) memory_->clock().advance(1s);
}

}  // namespace freshet::testing
