// SPDX-License-Identifier: Apache-2.0
#include <freshet/service.hpp>

#include <utility>

#include "broker/broker_core.hpp"
#include "service/group_node.hpp"
#include "service/service_node.hpp"

namespace freshet {

Service::Service(std::shared_ptr<detail::ServiceNode> service)
    : ServiceGroup{service->root()}, service_{std::move(service)} {}

const std::string& Service::name() const noexcept { return service_->facts().name; }
const std::string& Service::version() const noexcept { return service_->facts().version; }
const std::string& Service::id() const noexcept { return service_->id(); }
ServiceInfo Service::info() const { return service_->info(); }
ServiceStats Service::stats() const { return service_->stats(); }
void Service::reset() { service_->reset(); }

Service Broker::service(ServiceOptions options) {
    auto node = detail::ServiceNode::make(*core_, std::move(options));
    core_->host(node);
    return Service{std::move(node)};
}

Services Broker::services() { return services(DiscoveryOptions{}); }
Services Broker::services(DiscoveryOptions options) { return {link(), std::move(options)}; }

}  // namespace freshet
