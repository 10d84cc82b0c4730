// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/events.hpp>
#include <freshet/stats.hpp>

#include "base/measuring.hpp"
#include "link/publish_counts.hpp"
#include "link/request_counts.hpp"
#include "link/store_counts.hpp"

namespace freshet::detail {

/// Messages that were published and are not confirmed yet.
class Unconfirmed {
public:
    Unconfirmed() = default;
    Unconfirmed(const Unconfirmed&) = delete;
    Unconfirmed& operator=(const Unconfirmed&) = delete;
    /// Returns how many there are.
    virtual std::size_t unconfirmed() const = 0;
    /// Returns how many there may be.
    virtual std::size_t most_unconfirmed() const noexcept = 0;

protected:
    ~Unconfirmed() = default;
};

/// What a link sends and asks, counted by declared subject. Publishers and clients ask for their counts when they are
/// declared, and keep them; they live as long as the link. Thread-safe.
class Traffic {
public:
    /// Measures from now on. Call it once at most, before the link opens.
    void measure(std::shared_ptr<const Measuring> measuring);
    /// Returns what is measured; null: nothing.
    const Measuring* measuring() const noexcept { return measuring_.get(); }

    PublishCounts& dynamic() noexcept { return dynamic_; }
    PublishCounts& replies() noexcept { return replies_; }
    /// Returns the counts of what streams acknowledge; shared, because the broker may be gone when they do.
    std::shared_ptr<PublishCounts> stream() const noexcept { return stream_; }
    RequestCounts& dynamic_requests() noexcept { return dynamic_requests_; }

    /// Return the counts of a declared subject or bucket; beyond a thousand of them, those of "(other)".
    PublishCounts& publisher(std::string_view subject);
    RequestCounts& client(std::string_view subject);
    std::shared_ptr<StoreCounts> store(std::string_view store, std::string_view bucket);

    /// Asks `one` when somebody looks, as long as it lives.
    void watch(std::weak_ptr<const Unconfirmed> one);
    /// Counts an event of the connection.
    void note(ConnectionEvent::Kind event) noexcept;

    std::vector<PublisherStats> publishers() const;
    std::vector<RequestStats> requests() const;
    std::vector<StoreStats> stores() const;
    std::size_t unconfirmed() const;
    std::size_t most_unconfirmed() const;
    std::uint64_t slow_consumers() const noexcept { return slow_consumers_.load(std::memory_order_relaxed); }

private:
    template <class Sum>
    std::size_t sum_of_unconfirmed(Sum sum) const;

    std::shared_ptr<const Measuring> measuring_ = {};
    PublishCounts dynamic_{"(dynamic)", nullptr};
    PublishCounts replies_{"(reply)", nullptr};
    const std::shared_ptr<PublishCounts> stream_ = std::make_shared<PublishCounts>("(stream)", nullptr);
    RequestCounts dynamic_requests_{"(dynamic)", nullptr};

    mutable std::mutex mutex_ = {};
    // Maps, because others keep references.
    std::map<std::string, PublishCounts, std::less<>> publishers_ = {};
    std::map<std::string, RequestCounts, std::less<>> clients_ = {};
    std::map<std::pair<std::string, std::string>, std::shared_ptr<StoreCounts>> stores_ = {};
    mutable std::vector<std::weak_ptr<const Unconfirmed>> unconfirmed_ = {};
    std::atomic<std::uint64_t> slow_consumers_ = 0;
};

}  // namespace freshet::detail
