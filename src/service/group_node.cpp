// SPDX-License-Identifier: Apache-2.0
#include "service/group_node.hpp"

#include <utility>

#include "base/quoted.hpp"
#include "broker/broker_core.hpp"
#include "service/counted_endpoint.hpp"
#include "service/service_node.hpp"

namespace freshet::detail {
namespace {

/// Returns the name of an endpoint that has none of its own: its subject, with `_` for characters that a name must not
/// have, one for several.
std::string name_from(std::string_view subject) {
    std::string name;
    bool gap = false;
    for (const char c : subject) {
        if (is_service_character(c)) {
            if (gap && !name.empty()) name += '_';
            name += c;
        }
        gap = !is_service_character(c);
    }
    return name;
}

}  // namespace

GroupNode::GroupNode(const std::shared_ptr<GroupNode>& outer, std::string prefix, GroupOptions options)
    : service_{outer->service_},
      outer_{outer},
      prefix_{outer->prefix_ + std::move(prefix)},
      queue_{options.queue ? *std::move(options.queue) : outer->queue_} {
    layer_->about = std::move(options.about);
    layers_.insert(layers_.begin(), outer->layers_.begin(), outer->layers_.end());
}

std::shared_ptr<ServiceNode> GroupNode::service() const {
    auto service = service_.lock();
    if (service == nullptr)
        raise({Errc::closed, "endpoint: the broker of its service is destroyed; declare endpoints while it lives"});
    return service;
}

std::uint64_t GroupNode::begin(const std::string& subject) { return service()->core().begin(subject); }

std::shared_ptr<SubscriberCore> GroupNode::add(SubscriberSpec spec) {
    const auto service = this->service();
    spec.layers = layers_;
    service->enter(static_cast<CountedEndpoint&>(*spec.endpoint), spec);
    for (auto* group = this; group != nullptr; group = group->outer_.get()) group->used_ = true;
    auto added = service->core().add(std::move(spec));
    service->offer_schemas();
    return added;
}

SubscriberSpec GroupNode::spec(std::string subject, EndpointOptions options) {
    const auto service = this->service();
    SubscriberSpec spec{.subject = prefix_ + subject,
                        .options = {.queue = options.queue ? *std::move(options.queue) : queue_,
                                    .workers = options.workers,
                                    .ordered_by = std::move(options.ordered_by),
                                    .dedicated = options.dedicated,
                                    .max_pending_messages = options.max_pending_messages,
                                    .max_pending_bytes = options.max_pending_bytes,
                                    .on_lost = options.on_lost,
                                    .about = std::move(options.about)}};
    auto name = options.name.empty() ? name_from(subject) : std::move(options.name);
    spec.endpoint = service->endpoint(std::move(name), std::move(options.metadata));
    return spec;
}

Layer& GroupNode::layer(const char* what) {
    if (used_ && !service()->core().idle()) {
        raise({Errc::bad_setup, std::string{what} + ": endpoints of the group " + quoted(prefix_) +
                                    " have started; call it before that"});
    }
    return *layer_;
}

Registry& registry_of(GroupNode& group) noexcept { return group; }

SubscriberSpec endpoint_spec(const std::shared_ptr<GroupNode>& group, std::string subject, EndpointOptions options) {
    return group->spec(std::move(subject), std::move(options));
}

Layer& layer_of(GroupNode& group, const char* what) { return group.layer(what); }

std::shared_ptr<GroupNode> inner_group(const std::shared_ptr<GroupNode>& outer, std::string prefix,
                                       GroupOptions options) {
    return std::make_shared<GroupNode>(outer, std::move(prefix), std::move(options));
}

}  // namespace freshet::detail
