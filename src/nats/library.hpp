// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/depth_scope.hpp"

namespace freshet::detail::nats {

/// Opens cnats, once for the process. It is never closed, because messages and callbacks may outlive every broker.
/// cnats ignores SIGPIPE from then on. Throws Error(Errc::bad_setup).
void open_library();

/// Makes cnats's delivery pool, which the process has once, at least this large; 0: one thread per core, at least 2.
void grow_delivery_pool(int threads);

/// Marks this thread, while it lives, as one of cnats's inside a callback: such a thread must not wait for callbacks to
/// end.
class CallbackThread : public DepthScope<CallbackThread> {};

/// A CallbackThread on the one of cnats's that tells of events: it must not wait for events, either.
class EventThread : public DepthScope<EventThread> {
    CallbackThread callback_ = {};
};

}  // namespace freshet::detail::nats
