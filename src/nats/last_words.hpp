// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <nats/nats.h>

namespace freshet::detail::nats {

class ConnectionListener;

/// Knows at once when connections are lost, and why servers ended them. cnats's own callback comes later than that: its
/// one thread for callbacks may be busy while another thread connects again. A server says
/// `-ERR 'maximum subscriptions exceeded'` and closes; cnats keeps the text with the connection, and clears it when the
/// thread begins that connects again. So both happens at the moment when cnats starts that thread. Thread-safe.
namespace last_words {

/// Registers a connection. `socket`, which lives until forget(), tells without a lock of cnats whether the connection
/// may have ended. Calls ConnectionListener::on_lost before cnats connects again.
void watch(natsConnection* connection, const std::atomic<int>& socket, std::weak_ptr<ConnectionListener> listener);
/// Ends watch(). Call it before the connection is destroyed.
void forget(natsConnection* connection);
/// Returns the server's words at the last loss, and forgets them; "" if it said nothing.
std::string take(natsConnection* connection);
/// Returns what the server said, if it ended the connection, after `begin`; "" if it said nothing or did not end it.
std::string since(natsConnection* connection, std::chrono::steady_clock::time_point begin);

/// The function that cnats has to call on each thread that it starts (natsClientConfig::ThreadStartedHandler).
extern "C" void freshet_on_thread_started(void*) noexcept;

}  // namespace last_words
}  // namespace freshet::detail::nats
