// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <freshet/stats.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Asks a server now and then how far a consumer is behind, and remembers the answer. Thread-safe.
class LagWatch {
public:
    /// Asks without waiting. Does nothing while an answer is awaited, and after the server has refused to answer.
    void ask(std::shared_ptr<const JsApi> api, const std::string& stream, const std::string& consumer) noexcept;
    /// Returns the last answer; nothing if there was none, or an error came since.
    std::optional<ConsumerLag> latest() const;

private:
    struct State {
        std::mutex mutex = {};
        std::optional<ConsumerLag> latest = {};
        bool asking = false;
        bool refused = false;
    };

    static void ask_stream(const std::shared_ptr<State>& state, const JsApi& api, const std::string& stream,
                           ConsumerLag lag);
    static void tell(State& state, std::optional<ConsumerLag> lag, const Error* error);

    std::shared_ptr<State> state_ = std::make_shared<State>();  // shared with the question under way
};

}  // namespace freshet::detail
