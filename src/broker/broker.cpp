// SPDX-License-Identifier: Apache-2.0
#include <freshet/broker.hpp>

#include <memory>
#include <tuple>

#include "base/callback_scope.hpp"
#include "base/fork.hpp"
#include "base/quoted.hpp"
#include "broker/broker_core.hpp"
#include "broker/options.hpp"

namespace freshet {

// Functions that may take long share the core, because a callback that runs meanwhile may destroy the broker.

namespace {

TransportFactory never_null(TransportFactory make) {
    return [make = std::move(make)](const BrokerOptions& options) {
        auto transport = make ? make(options) : nullptr;
        if (transport == nullptr)
            raise({Errc::bad_setup, "Broker: the transport factory is empty or returned nullptr; return a transport"});
        return transport;
    };
}

}  // namespace

Broker::Broker(BrokerOptions options) : Broker{std::move(options), nats_transport} {}

Broker::Broker(BrokerOptions options, TransportFactory transport)
    : core_{std::make_shared<detail::BrokerCore>(*this, detail::resolve(std::move(options)),
                                                 never_null(std::move(transport)))},
      link_{&core_->link()} {}

Broker::~Broker() {
    // The core would wait for threads that the forked child does not have.
    if (detail::forked()) std::ignore = new std::shared_ptr<detail::BrokerCore>{std::move(core_)};
    else if (detail::CallbackScope::inside()) detail::end_in_background(std::move(core_));
    else core_->end(link_->options().stop_timeout);
}

void Broker::start() {
    const auto core = core_;
    core->start();
}

bool Broker::stop(std::chrono::milliseconds timeout) {
    const auto core = core_;
    return !detail::forked() && core->stop(timeout);
}
bool Broker::stop() { return stop(link_->options().stop_timeout); }

void Broker::run() {
    const auto core = core_;
    core->run();
}

std::chrono::nanoseconds Broker::ping(std::chrono::milliseconds timeout) {
    return value_or_raise(link_->ping(timeout));
}
bool Broker::running() const noexcept { return core_->running(); }
Health Broker::health() const { return core_->health(); }
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
