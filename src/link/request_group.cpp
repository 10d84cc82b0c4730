// SPDX-License-Identifier: Apache-2.0
#include "link/request_group.hpp"

namespace freshet::detail {
namespace {

Error cancelled() { return {Errc::closed, "it is not waited for any more"}; }

}  // namespace

// The mux takes a ticket that has ended, so these do not mind an answer that comes at the same time. They end the
// request under the lock, so that the thread that waits does not go on before the mux is left.

void RequestGroup::cancel() noexcept {
    const std::lock_guard lock{mutex_};
    cancelled_ = true;
    if (flight_) flight_->mux.cancel(flight_->ticket, cancelled());
}

void RequestGroup::begin(RequestMux& mux, const RequestMux::Ticket& ticket) noexcept {
    const std::lock_guard lock{mutex_};
    flight_.emplace(Flight{mux, ticket});
    if (cancelled_) mux.cancel(ticket, cancelled());
}

void RequestGroup::end() noexcept {
    const std::lock_guard lock{mutex_};
    flight_.reset();
}

}  // namespace freshet::detail
