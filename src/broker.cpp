// SPDX-License-Identifier: Apache-2.0
#include <freshet/broker.hpp>

#include <exception>

#include "broker_core.hpp"
#include "nats/transport.hpp"
#include "options.hpp"
#include "signals.hpp"

namespace freshet {

Broker::Broker(BrokerOptions options)
    : core_{std::make_shared<detail::BrokerCore>(*this, detail::resolve(std::move(options)), detail::make_nats_transport)} {}

Broker::~Broker() {
    try {
        core_->shut_down(core_->options().stop_timeout);
    } catch (const std::exception& error) {
        core_->logger().error("stop: {}", error.what());
    }
}

void Broker::start() { core_->start(); }

bool Broker::stop(std::chrono::milliseconds timeout) { return core_->stop(timeout); }
bool Broker::stop() { return stop(core_->options().stop_timeout); }

void Broker::run() {
    detail::SignalWatch signals;
    const std::stop_callback wake{core_->stop_token(), [&] { signals.wake(); }};
    start();
    const int signal = signals.wait();
    if (signal != 0) logger().info("stopping on signal {}", signal);
    stop();
}

std::chrono::nanoseconds Broker::ping(std::chrono::milliseconds timeout) { return core_->ping(timeout); }
bool Broker::running() const noexcept { return core_->running(); }
ServerInfo Broker::server() const { return core_->server(); }
BrokerStats Broker::stats() const { return core_->stats(); }
Logger& Broker::logger() noexcept { return core_->logger(); }
detail::Registry& Broker::registry() noexcept { return *core_; }

void Broker::provide_erased(const std::type_info& type, std::shared_ptr<void> object) {
    core_->provide(type, std::move(object));
}

void Broker::check_subject(std::string_view subject) {
    if (freshet::check_subject(subject) != SubjectFault::none) raise(detail::subject_error(subject, SubjectUse::publish));
}

}  // namespace freshet
