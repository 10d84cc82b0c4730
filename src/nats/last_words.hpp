// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nats/nats.h>

namespace freshet::detail::nats {

/// Knows why servers ended connections. A server says `-ERR 'maximum subscriptions exceeded'` and closes; cnats keeps
/// the text with the connection, and clears it when the thread begins that connects again. So the text is read at the
/// moment when cnats starts that thread. Thread-safe.
namespace last_words {

/// Registers a connection whose socket is `socket`, or gives a registered one its new socket. The socket tells, without
/// a lock of cnats, whether the connection has ended.
void watch(natsConnection* connection, int socket);
/// Ends watch(). Call it before the connection is destroyed.
void forget(natsConnection* connection);
/// Returns the server's words at the last loss, and forgets them; "" if it said nothing.
std::string take(natsConnection* connection);

/// The function that cnats has to call on each thread that it starts (natsClientConfig::ThreadStartedHandler).
extern "C" void freshet_on_thread_started(void*);

}  // namespace last_words
}  // namespace freshet::detail::nats
