// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <freshet/service.hpp>

namespace freshet::detail {

class ServiceNode;

/// A group of endpoints without types. It keeps no endpoints: they are the broker's subscribers.
class GroupNode final : public Registry {
public:
    GroupNode(std::weak_ptr<ServiceNode> service, std::string queue)
        : service_{std::move(service)}, queue_{std::move(queue)} {}
    /// Makes a group within another one.
    GroupNode(const std::shared_ptr<GroupNode>& outer, std::string prefix, GroupOptions options);

    std::uint64_t begin(const std::string& subject) override;
    std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) override;

    SubscriberSpec spec(std::string subject, EndpointOptions options);
    /// Returns the layer, to be changed. Throws once endpoints have started; `what` names the caller in the error.
    Layer& layer(const char* what);

private:
    std::shared_ptr<ServiceNode> service() const;

    std::weak_ptr<ServiceNode> service_;
    std::shared_ptr<GroupNode> outer_ = {};
    std::string prefix_ = {};
    std::string queue_;
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::vector<std::shared_ptr<const Layer>> layers_{layer_};  // those of outer groups and its own, outermost first
    std::atomic<bool> used_ = false;                            // it, or a group in it, has endpoints
};

}  // namespace freshet::detail
