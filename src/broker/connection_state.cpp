// SPDX-License-Identifier: Apache-2.0
#include "broker/connection_state.hpp"

#include <algorithm>

namespace freshet::detail {

void ConnectionState::on(const ConnectionEvent& event) {
    using Kind = ConnectionEvent::Kind;
    const std::lock_guard lock{mutex_};
    switch (event.kind) {
        case Kind::connected:
        case Kind::reconnected:
            connected_ = true;
            reason_.clear();
            unreachable_.clear();
            break;
        case Kind::disconnected:
        case Kind::closed:
            connected_ = false;
            if (!event.detail.empty()) reason_ = event.detail;
            break;
        case Kind::waiting: {
            connected_ = false;  // one of the connections may fail to come back before the loss is told
            if (reason_.empty()) reason_ = event.detail;
            const auto known = std::ranges::find(unreachable_, event.url, &Health::Unreachable::server);
            if (known != unreachable_.end()) known->reason = event.detail;
            else unreachable_.push_back({event.url, event.detail});
            break;
        }
        default: break;
    }
}

void ConnectionState::fail(const Error& why) {
    const std::lock_guard lock{mutex_};
    reason_ = why.message();
}

void ConnectionState::tell(Health& health) const {
    const std::lock_guard lock{mutex_};
    if (health.state == Health::State::running && !connected_) health.state = Health::State::reconnecting;
    health.reason = reason_;
    health.unreachable = unreachable_;
}

bool ConnectionState::connected() const {
    const std::lock_guard lock{mutex_};
    return connected_;
}

}  // namespace freshet::detail
