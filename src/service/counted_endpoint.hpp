// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/services.hpp>

#include "delivery/endpoint.hpp"

namespace freshet::detail {

/// An endpoint that counts its deliveries for the statistics of ADR-32. The counting functions are called on the
/// threads that handle; the others may be called from any thread.
class CountedEndpoint final : public Endpoint {
public:
    using Metadata = std::map<std::string, std::string>;

    /// `facts` outlives the endpoint: `owner` keeps it.
    CountedEndpoint(std::shared_ptr<const void> owner, const ServiceFacts& facts, std::string name, Metadata metadata);

    const ServiceFacts& service() const noexcept override { return facts_; }
    const std::string& name() const noexcept override { return name_; }
    const Metadata& metadata() const noexcept override { return metadata_; }
    void bind(Binder& binder, DeliveryObserver* next) override;

    /// Notes a mistake for bind(). Call it before the endpoint is registered; so also the next.
    void add_problem(std::string text) { problems_.push_back(std::move(text)); }
    /// Adds to what others are told of the endpoint; what the program says of it comes first.
    void tell(const std::string& key, std::string value) { told_.emplace(key, std::move(value)); }
    /// Returns what others are told of it.
    const Metadata& told() const noexcept { return told_; }

    /// Writes the counters into `stats`.
    void count_into(EndpointStats& stats) const;
    void reset();

    void on_inject(std::string_view pattern, const std::type_info& type) override;
    void on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept override;
    void on_handler(const SubscriberCore& subscriber) override;
    void on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept override;
    void on_postponed(const Context& context, const Context& later) noexcept override;
    void on_settled(const SubscriberCore& subscriber, const Context& context, const Handled& handled) noexcept override;
    void on_batched(const SubscriberCore& subscriber, const Message& message, const Handled& handled) noexcept override;

private:
    void count(const SubscriberCore& subscriber, const Handled& handled, std::chrono::nanoseconds time) noexcept;

    std::shared_ptr<const void> owner_;
    const ServiceFacts& facts_;
    std::string name_;
    Metadata metadata_;
    Metadata told_;
    std::vector<std::string> problems_ = {};
    DeliveryObserver* next_ = nullptr;

    std::atomic<std::uint64_t> requests_ = 0;
    std::atomic<std::uint64_t> errors_ = 0;
    std::atomic<std::uint64_t> nanoseconds_ = 0;
    mutable std::mutex mutex_ = {};  // guards last_error_
    std::string last_error_ = {};
};

}  // namespace freshet::detail
