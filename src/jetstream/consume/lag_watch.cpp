// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/lag_watch.hpp"

#include <exception>
#include <utility>

#include "base/quoted.hpp"

namespace freshet::detail {

void LagWatch::ask(std::shared_ptr<const JsApi> api, const std::string& stream, const std::string& consumer) noexcept {
    {
        const std::lock_guard lock{state_->mutex};
        if (state_->refused || std::exchange(state_->asking, true)) return;
    }
    try {
        const auto& asked = *api;
        asked.call_async("CONSUMER.INFO." + stream + "." + consumer, "ask for the lag of consumer " + quoted(consumer),
                         {}, [state = state_, api = std::move(api), stream](const Expected<Json>& info) {
                             if (!info) return tell(*state, std::nullopt, &info.error());
                             ask_stream(state, *api, stream,
                                        {.pending = field<std::uint64_t>(*info, "num_pending"),
                                         .ack_pending = field<std::uint64_t>(*info, "num_ack_pending"),
                                         .redelivered = field<std::uint64_t>(*info, "num_redelivered"),
                                         .waiting = field<std::uint64_t>(*info, "num_waiting")});
                         });
    } catch (const std::exception&) { tell(*state_, std::nullopt, nullptr); }  // no memory: later perhaps
}

void LagWatch::ask_stream(const std::shared_ptr<State>& state, const JsApi& api, const std::string& stream,
                          ConsumerLag lag) {
    api.call_async("STREAM.INFO." + stream, "ask for the size of stream " + quoted(stream), {},
                   [state, lag](const Expected<Json>& info) mutable {
                       if (!info) return tell(*state, std::nullopt, &info.error());
                       const auto found = field<Json>(*info, "state", Json::object());
                       lag.stream_messages = field<std::uint64_t>(found, "messages");
                       lag.stream_bytes = field<std::uint64_t>(found, "bytes");
                       tell(*state, lag, nullptr);
                   });
}

void LagWatch::tell(State& state, std::optional<ConsumerLag> lag, const Error* error) {
    const std::lock_guard lock{state.mutex};
    state.latest = lag;
    state.asking = false;
    state.refused = error != nullptr && *error == Errc::unauthorized;
}

std::optional<ConsumerLag> LagWatch::latest() const {
    const std::lock_guard lock{state_->mutex};
    return state_->latest;
}

}  // namespace freshet::detail
