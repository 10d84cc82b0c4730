// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/service.hpp>
#include <freshet/transport.hpp>

#include "broker/hosted_service.hpp"
#include "service/counted_endpoint.hpp"
#include "service/service_messages.hpp"

namespace freshet::detail {

class BrokerCore;
class DiscoverySink;
class GroupNode;

/// A service without types: what it is called, what it tells those who look for it. Its endpoints are the subscribers
/// of the broker that have an Endpoint with its facts. Thread-safe; the broker must live.
class ServiceNode final : public HostedService, public std::enable_shared_from_this<ServiceNode> {
public:
    /// Makes a service. Give it to BrokerCore::host().
    static std::shared_ptr<ServiceNode> make(BrokerCore& core, ServiceOptions options);
    ServiceNode(BrokerCore& core, ServiceOptions options);
    ~ServiceNode() override;

    BrokerCore& core() const noexcept { return core_; }
    const std::string& id() const noexcept { return id_; }
    const std::shared_ptr<GroupNode>& root() const noexcept { return root_; }

    /// Makes an endpoint, which is not registered yet.
    std::shared_ptr<CountedEndpoint> endpoint(std::string name, CountedEndpoint::Metadata metadata);
    /// Completes an endpoint that is about to be registered: checks its name, and adds what others are told of it.
    void enter(CountedEndpoint& endpoint, const SubscriberSpec& spec);
    /// Declares the endpoint that gives out large schemas, if it is needed and is not there yet.
    void offer_schemas();

    ServiceInfo info() const;
    ServiceStats stats() const;
    void reset();
    /// Answers a question, unless the broker has stopped. Logs what fails.
    void answer(Question question, const Message& message) noexcept;

    const ServiceFacts& facts() const noexcept override { return facts_; }
    void check(std::vector<std::string>& problems) const override;
    Expected<void> start() override;
    std::optional<Error> refusal() const override;
    std::vector<Health::Lost> lost() const override;
    void stop() noexcept override;

private:
    /// A subject on which the service is found.
    struct Discovery {
        std::shared_ptr<DiscoverySink> sink;
        std::unique_ptr<TransportSubscription> subscription;
    };
    /// A subscriber that is one of its endpoints, and that has not ended.
    struct Live {
        std::shared_ptr<SubscriberCore> subscriber;
        const CountedEndpoint* endpoint;
    };

    ServiceId identity() const { return {facts_.name, id_, facts_.version, facts_.metadata}; }
    std::vector<Live> endpoints() const;
    std::string text_for(Question question) const;
    /// Puts a schema into the endpoint's metadata under `key`, or, if it is `apart`, its hash.
    void tell_schema(CountedEndpoint& endpoint, const std::string& key, std::string schema, bool apart);
    std::string schema_with(std::string_view hash) const;
    Expected<void> subscribe(Question question, std::string subject);

    BrokerCore& core_;
    const ServiceFacts facts_;
    const std::string prefix_;
    const std::string id_;
    std::shared_ptr<GroupNode> root_ = {};

    mutable std::mutex mutex_ = {};  // guards the members below
    std::vector<Discovery> discoveries_ = {};
    bool stopped_ = false;
    std::chrono::system_clock::time_point started_;
    std::size_t told_bytes_ = 0;                     // of schemas in metadata
    std::map<std::string, std::string> apart_ = {};  // large schemas, by their hashes
    bool schemas_offered_ = false;
};

}  // namespace freshet::detail
