// SPDX-License-Identifier: Apache-2.0
#include <freshet/broker.hpp>

#include <atomic>
#include <stop_token>
#include <thread>
#include <tuple>

#include "base/fork.hpp"
#include "base/quoted.hpp"
#include "base/signals.hpp"
#include "broker/broker_core.hpp"
#include "broker/options.hpp"

namespace freshet {

namespace {

TransportFactory never_null(TransportFactory make) {
    return [make = std::move(make)](const BrokerOptions& options) {
        auto transport = make ? make(options) : nullptr;
        if (transport == nullptr) raise({Errc::bad_setup, "Broker: its transport factory made no transport"});
        return transport;
    };
}

}  // namespace

Broker::Broker(BrokerOptions options) : Broker{std::move(options), nats_transport} {}

Broker::Broker(BrokerOptions options, TransportFactory transport)
    : core_{std::make_unique<detail::BrokerCore>(*this, detail::resolve(std::move(options)),
                                                 never_null(std::move(transport)))},
      link_{&core_->link()} {}

Broker::~Broker() {
    // The threads that it would wait for are not there.
    if (detail::forked()) std::ignore = core_.release();
}

void Broker::start() { core_->start(); }

bool Broker::stop(std::chrono::milliseconds timeout) { return !detail::forked() && core_->stop(timeout); }
bool Broker::stop() { return stop(link_->options().stop_timeout); }

void Broker::run() {
    detail::SignalWatch signals;
    const std::stop_callback wake{link_->stop_token(), [&] { signals.wake(); }};
    std::atomic<bool> signalled = false;
    const std::jthread watcher{[&] {
        if (const int signal = signals.wait(); signal != 0) {
            signalled = true;
            logger().info("stopping on signal {}", signal);
        }
        stop();
    }};
    try {
        start();
    } catch (const Error& error) {
        signals.wake();
        const bool stopped_early = error.code() == Errc::closed && link_->stop_token().stop_requested();
        if (!stopped_early && !signalled) throw;
        logger().info("{}", error.what());
    } catch (...) {
        signals.wake();
        throw;
    }
}

std::chrono::nanoseconds Broker::ping(std::chrono::milliseconds timeout) {
    return value_or_raise(link_->ping(timeout));
}
bool Broker::running() const noexcept { return core_->running(); }
ServerInfo Broker::server() const { return link_->server(); }
BrokerStats Broker::stats() const { return core_->stats(); }
Logger& Broker::logger() noexcept { return link_->logger(); }
detail::Registry& Broker::registry() noexcept { return *core_; }

void Broker::provide_erased(const std::type_info& type, std::shared_ptr<void> object) {
    core_->provide(type, std::move(object));
}

detail::Layer& Broker::layer(const char* what) { return core_->change_layer(what); }

void Broker::include_node(std::shared_ptr<detail::RouterNode> node) { core_->include(std::move(node)); }

void Broker::override_erased(const void* key, std::shared_ptr<const void> replacement) {
    core_->override_dependency(key, std::move(replacement));
}

void Broker::check_client(std::string_view subject, const RequestOptions& options) {
    if (check_subject(subject) != SubjectFault::none) raise(detail::subject_error(subject, SubjectUse::publish));
    if (options.timeout.count() < 0)
        raise({Errc::bad_setup, "client of " + detail::quoted(subject) + ": its timeout is " +
                                    std::to_string(options.timeout.count()) + " ms; a time cannot be negative"});
}

}  // namespace freshet
