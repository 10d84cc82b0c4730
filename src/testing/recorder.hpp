// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <typeindex>
#include <vector>

#include <freshet/subject.hpp>
#include <freshet/testing/capture.hpp>
#include <freshet/transport.hpp>

#include "delivery/delivery_observer.hpp"

namespace freshet::detail {

/// Keeps the publications and deliveries of a broker under test, and makes the requested ones fail. Thread-safe.
class Recorder final : public DeliveryObserver {
public:
    void on_inject(std::string_view pattern, const std::type_info& type) override;
    void on_delivery(const SubscriberCore& subscriber, const Context& context) noexcept override;
    void on_handler(const SubscriberCore& subscriber) override;
    void on_thrown(const Context& context, const std::exception_ptr& thrown) noexcept override;
    void on_postponed(const Context& context, const Context& later) noexcept override;
    void on_settled(const SubscriberCore& subscriber, const Context& context, const Handled& handled) noexcept override;
    void on_batched(const SubscriberCore& subscriber, const Message& message, const Handled& handled) noexcept override;

    /// Returns the error with which a publication is to fail; nothing if it is not to fail.
    std::optional<Error> failure_of(const Publication& publication);
    void on_published(const Publication& publication);

    /// Returns the deliveries from `first` on. A `subscriber` or `subject` that is not empty restricts them.
    std::vector<testing::Delivery> deliveries(std::size_t first, std::string_view subscriber,
                                              std::string_view subject) const;
    std::vector<testing::CapturedMessage> publications() const;
    std::size_t delivery_count() const;
    bool all_settled() const;
    void clear();

    /// Makes the next handler that takes the type throw `exception`. Throws Error(Errc::bad_setup) if no handler takes
    /// it.
    void fail_next(std::type_index type, std::exception_ptr exception);
    void fail_next_publish(Subject pattern, Errc code);
    /// Returns the failures that have not happened yet, as texts for failed comparisons.
    std::vector<std::string> notes() const;
    /// Sets a function that decides for each publication whether it fails, if nothing else makes it fail; null: none
    /// fails.
    void fail_publications(std::function<bool()> whether);

    /// Called, without a lock, for each message that the broker published.
    std::function<void(std::string_view subject)> published_to = {};
    /// Called, without a lock, for each delivery that is settled.
    std::function<void(const SubscriberCore& subscriber)> settled_by = {};

private:
    struct PublishFault {
        Subject pattern;
        Errc code;
    };

    void throw_if_told(std::string_view subscriber);
    testing::Delivery* find(const Context& context) noexcept;

    mutable std::mutex mutex_ = {};
    std::deque<testing::Delivery> deliveries_ = {};
    std::size_t forgotten_ = 0;  // number of deliveries that were dropped from the front
    std::map<const Context*, std::size_t> running_ = {};
    std::vector<testing::CapturedMessage> publications_ = {};
    // The types that handlers take, by the subscriber's subject.
    std::map<std::string, std::set<std::type_index>, std::less<>> injected_ = {};
    std::map<std::type_index, std::exception_ptr> failing_ = {};
    std::vector<PublishFault> publish_faults_ = {};
    std::function<bool()> random_failure_ = {};
};

/// Returns a transport whose publications are recorded, and fail when the recorder says so.
std::unique_ptr<Transport> record(std::unique_ptr<Transport> transport, std::shared_ptr<Recorder> recorder);

}  // namespace freshet::detail
