// SPDX-License-Identifier: Apache-2.0
// How the two connections lose their server and find one again, which they do one after the other.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "nats/connection.hpp"
#include "nats/connections.hpp"
#include "nats/credentials.hpp"
#include "nats/library.hpp"
#include "nats/subscription.hpp"
#include "nats/url.hpp"

namespace freshet::detail::nats {

using Kind = ConnectionEvent::Kind;

/// Tells of a loss before cnats connects again: this runs on the thread that does so, before it begins.
void Connections::on_lost() {
    const std::lock_guard lock{loss_mutex_};
    // A thread of cnats that begins meanwhile for another purpose may come too late. on_reconnected() waits for it.
    if (!losing().empty()) tell_loss();
}

/// Called under loss_mutex_.
void Connections::tell_loss() noexcept {
    const CallbackThread scope;
    try {
        if (loss_) loss_();
    } catch (...) { return; }
}

/// Returns the connections that cnats is making again.
Connections::All Connections::losing() {
    All found;
    {
        const std::lock_guard lock{mutex_};
        std::ranges::copy_if(all_, std::back_inserter(found), [this](const auto& each) { return !ignores(*each); });
    }
    std::erase_if(found, [](const auto& each) { return !each->reconnecting(); });
    return found;
}

void Connections::mark_down(const All& connections) {
    const std::lock_guard lock{mutex_};
    for (const auto& each : connections) each->up = false;
}

void Connections::on_disconnected(Connection& connection) {
    {
        const std::lock_guard lock{mutex_};
        connection.up = false;
        if (ignores(connection)) return;
    }
    // The subscriptions are made again with the connection. What is refused then is told after this.
    subscriptions_->forget_refusals(carried_by(connection));
    {
        const std::lock_guard lock{loss_mutex_};
        tell_loss();
    }
    {
        const std::lock_guard lock{mutex_};
        if (down_) return;
        down_ = true;
    }
    // cnats reports these losses in this thread, too, but perhaps after the reconnect of the first connection.
    mark_down(find_other_losses());
    emit(loss_of(connection));
}

ConnectionEvent Connections::loss_of(Connection& connection) const {
    const auto server = connection.last_url();
    const auto who = name_of_credentials(options_, without_scheme(server));
    const auto why = connection.take_loss();
    return {.kind = Kind::disconnected,
            .detail =
                fmt::format("the connection to {}{}{} was lost{}{}; {}", server, who.empty() ? "" : " as ", who,
                            why.empty() ? "" : ": ", why,
                            options_.reconnect.enabled ? "reconnecting" : "closing, since reconnecting is disabled")};
}

/// Blocks until it is known which of the connections that seem to be up have lost the server, too, and returns these:
/// only an answer tells. What is published afterwards does not go into a dead socket, but waits for the reconnect.
Connections::All Connections::find_other_losses() {
    All others;
    {
        const std::lock_guard lock{mutex_};
        std::ranges::copy_if(all_, std::back_inserter(others),
                             [](const auto& each) { return each->up && !each->leaving && !each->closed; });
    }
    std::erase_if(others, [&](const auto& other) {
        if (other->reconnecting()) return false;  // an answer would come when it is made again
        auto* const native = other->handle.get();
        const auto status = natsConnection_FlushTimeout(native, options_.connect_timeout.count());
        const bool unheard = status == NATS_TIMEOUT && natsConnection_Status(native) == NATS_CONN_STATUS_CONNECTED;
        return status == NATS_OK || unheard;
    });
    return others;
}

void Connections::on_reconnected(Connection& connection) {
    const auto lost_again = losing();  // cnats will report in this thread that these are lost and that they are back
    mark_down(lost_again);
    {
        const std::lock_guard lock{mutex_};
        connection.up = std::ranges::none_of(lost_again, [&](const auto& each) { return each.get() == &connection; });
        if (ignores(connection) || !down_ || !all_up()) return;
        down_ = false;
        lame_duck_ = false;
        told_.clear();
        reconnects_.fetch_add(1, std::memory_order_relaxed);
    }
    // cnats has sent the subscriptions again, but only an answer proves that the server has read them.
    natsConnection_FlushTimeout(native(Lane::deliveries), options_.connect_timeout.count());
    {
        const std::lock_guard lock{loss_mutex_};  // waits for a thread that tells of this loss
    }
    emit({.kind = Kind::reconnected, .url = url()});
    on_lost();  // tells again of a loss since then
}

}  // namespace freshet::detail::nats
