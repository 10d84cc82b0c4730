// SPDX-License-Identifier: Apache-2.0
#include <freshet/native.hpp>

#include "broker/broker_core.hpp"
#include "nats/transport.hpp"

namespace freshet::native {

natsConnection* connection(const Broker& broker, Lane lane) noexcept {
    const auto* transport = dynamic_cast<const detail::NatsTransport*>(&broker.link().transport());
    return transport == nullptr ? nullptr : transport->native(lane);
}

}  // namespace freshet::native
