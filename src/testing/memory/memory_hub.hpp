// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <freshet/testing/memory_server.hpp>

#include "testing/memory/subject_trie.hpp"

namespace freshet::detail {

class MemorySubscription;
class MemoryTransport;

/// A message in the server.
struct Parcel {
    std::string subject = {};
    std::string reply_to = {};
    std::string payload = {};
    Headers headers = {};

    explicit Parcel(const Publication& publication);
    Parcel() = default;
    /// Returns the size that max_payload and max_pending_bytes count.
    std::size_t size() const noexcept;
    Message message() const;
};
using SharedParcel = std::shared_ptr<const Parcel>;

/// The part of a server beside routing: its JetStream. The hub calls the functions without the hub's lock, and are
/// thread-safe.
class MemoryService {
public:
    MemoryService() = default;
    MemoryService(const MemoryService&) = delete;
    MemoryService& operator=(const MemoryService&) = delete;
    virtual ~MemoryService() = default;

    /// Takes a message that was published; false: it has no use for it.
    virtual bool on_publish(const SharedParcel& parcel) = 0;
    /// Whether on_subscribed has anything to do. Called with the hub's lock.
    virtual bool pushes() const noexcept = 0;
    /// Somebody has subscribed: perhaps to what a push consumer sends.
    virtual void on_subscribed() = 0;
};

/// The connection that a publication came from. Only for comparison: the connection may be gone.
struct Sender {
    const MemoryTransport* connection = nullptr;
    bool no_echo = false;
};

/// The state that a MemoryServer and its connections share: the lock, the subscriptions, and the routing of messages.
class MemoryHub final : public std::enable_shared_from_this<MemoryHub> {
public:
    explicit MemoryHub(testing::MemoryServerOptions options);
    ~MemoryHub();

    /// Adds a service, which may refer to the hub. Not thread-safe; before anything connects.
    void host(std::unique_ptr<MemoryService> service) noexcept { service_ = std::move(service); }

    testing::VirtualClock& clock() const noexcept { return *options_.clock; }
    std::shared_ptr<testing::VirtualClock> shared_clock() const noexcept { return options_.clock; }
    std::size_t max_payload() const noexcept { return options_.max_payload; }
    const std::string& id() const noexcept { return id_; }
    static constexpr std::string_view url = "memory://freshet";

    void intercept(testing::MemoryServer::Intercept intercept);
    void set_running(bool running);
    void lame_duck();

    /// Guards the members below, and the state of every connection and subscription.
    std::mutex mutex = {};
    /// Notified when any of that has changed.
    std::condition_variable changed = {};

    bool running = true;
    std::vector<MemoryTransport*> connections = {};  // the open ones, in the order in which they were opened
    // Called with the lock held.
    void add(const std::shared_ptr<MemorySubscription>& subscription);
    void remove(MemorySubscription& subscription);

    /// Delivers the parcel to the subscribers. Answers a request that reaches nobody with "no responders". Call it
    /// without the lock.
    void route(const Sender& from, const SharedParcel& parcel);
    /// Delivers a parcel of the server itself to the subscribers of `to`.
    void deliver(std::string_view to, const SharedParcel& parcel);
    /// Returns whether somebody is subscribed to the subject, in this queue group if `queue` is not empty.
    bool has_interest(std::string_view subject, std::string_view queue = {});

private:
    using Receivers = std::vector<std::shared_ptr<MemorySubscription>>;

    struct Kept {
        Sender from;
        SharedParcel parcel;
    };

    Receivers receivers_of(const Sender& from, std::string_view subject);
    /// Returns the next message that a connection kept while it was lost; null when there is none.
    std::optional<Kept> next_kept();
    bool serve(const SharedParcel& parcel);
    testing::Fate fate_of(std::string_view subscription, const Parcel& parcel);
    void tell_no_responders(const Sender& from, const Parcel& request);
    void pass(const std::shared_ptr<MemorySubscription>& to, const SharedParcel& parcel);

    testing::MemoryServerOptions options_;
    std::string id_;
    testing::MemoryServer::Intercept intercept_ = {};
    SubjectTrie trie_ = {};
    std::map<PatternId, std::shared_ptr<MemorySubscription>> subscriptions_ = {};
    std::map<std::string, std::uint64_t, std::less<>> turns_ = {};  // by queue group
    PatternId last_id_ = 0;
    std::unique_ptr<MemoryService> service_ = {};  // null: none
};

}  // namespace freshet::detail
