// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <freshet/message.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/consumers.hpp"
#include "link/connection_watcher.hpp"

namespace freshet::detail {

/// Keeps settlements of fetched messages from settling those of another consumer that was made under the same name.
/// Remembers when the consumer was made, and asks again after a loss of the connection and when its delivery numbers
/// begin anew. Shared by all fetches of a program from one consumer. Thread-safe.
class FetchGuard final : public ConnectionWatcher, public std::enable_shared_from_this<FetchGuard> {
public:
    /// Returns the guard of a consumer, which lives as long as `api` or a message that was fetched.
    static std::shared_ptr<FetchGuard> of(const std::shared_ptr<const JsApi>& api, const ConsumerSpec& spec);
    FetchGuard(std::shared_ptr<const JsApi> api, ConsumerSpec spec);

    /// Notes messages that were fetched, at least one, and returns the incarnation that they came from. Blocks for an
    /// answer the first time, and if they may have come from another consumer than the ones before.
    Acknowledger::Incarnation note(const std::vector<Message>& messages);
    /// Returns what settles the messages; it keeps this guard alive.
    std::shared_ptr<Acknowledger> acknowledger() noexcept { return {shared_from_this(), &acknowledger_}; }

    void on_connection(ConnectionChange change) noexcept override;

private:
    std::string operation() const;
    std::string what() const { return "look up " + spec_.text(); }
    void ask_again() noexcept;
    void ask(std::uint64_t question) noexcept;
    void ask_later() noexcept;
    void answered(std::uint64_t question, const Expected<Json>& answer) noexcept;

    const std::shared_ptr<const JsApi> api_;
    const ConsumerSpec spec_;
    Acknowledger acknowledger_;
    std::mutex mutex_ = {};
    std::string created_ = {};         // when the consumer was made; empty: not known
    std::uint64_t last_delivery_ = 0;  // consumer sequence
    std::uint64_t asked_ = 0;          // number of the last question
};

}  // namespace freshet::detail
