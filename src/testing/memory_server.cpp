// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/memory_server.hpp>

#include <utility>

#include "testing/memory/jetstream/jetstream.hpp"
#include "testing/memory/memory_hub.hpp"
#include "testing/memory/memory_transport.hpp"

namespace freshet::testing {

MemoryServer::MemoryServer(MemoryServerOptions options) : hub_{std::make_shared<detail::MemoryHub>(options)} {
    if (options.jetstream) hub_->host(std::make_unique<detail::MemoryJetStream>(*hub_));
}
MemoryServer::~MemoryServer() = default;

VirtualClock& MemoryServer::clock() const noexcept { return hub_->clock(); }
std::shared_ptr<VirtualClock> MemoryServer::shared_clock() const noexcept { return hub_->shared_clock(); }

std::unique_ptr<Transport> MemoryServer::connect(const BrokerOptions& options) {
    return std::make_unique<detail::MemoryTransport>(hub_, options);
}

void MemoryServer::interrupt() { hub_->set_running(false); }
void MemoryServer::resume() { hub_->set_running(true); }
bool MemoryServer::running() const {
    const std::lock_guard lock{hub_->mutex};
    return hub_->running;
}
void MemoryServer::lame_duck() { hub_->lame_duck(); }
void MemoryServer::intercept(Intercept intercept) { hub_->intercept(std::move(intercept)); }

}  // namespace freshet::testing
