// SPDX-License-Identifier: Apache-2.0
#include "nats/attempts.hpp"

#include <utility>

#include <openssl/err.h>

#include "nats/connect_failure.hpp"

namespace freshet::detail::nats {
namespace {

/// Clears this thread's last error in cnats. Otherwise cnats reports the thread's last TLS error for later failures
/// too. It clears the error itself only where it makes the socket, and has no function for that: this call, which
/// fails, leaves NATS_INVALID_ARG.
void forget_last_error() {
    static_cast<void>(natsConnection_Publish(nullptr, nullptr, nullptr, 0));
    ::ERR_clear_error();
}

Failure reason_of_this_thread() {
    natsStatus last = NATS_OK;
    nats_GetLastError(&last);
    const bool known = last != NATS_OK && last != NATS_INVALID_ARG;
    return with_tls_alert(known ? last_failure(last) : Failure{NATS_IO_ERROR, natsStatus_GetText(NATS_IO_ERROR)});
}

}  // namespace

void Attempts::begin(std::string server) {
    fail();
    forget_last_error();
    const std::lock_guard lock{mutex_};
    open_ = std::move(server);
}

void Attempts::fail(Failure failure) {
    const std::lock_guard lock{mutex_};
    if (!open_) return;
    failed_.push_back({*std::exchange(open_, std::nullopt),
                       failure.status != NATS_OK ? std::move(failure) : reason_of_this_thread()});
}

void Attempts::succeed() {
    const std::lock_guard lock{mutex_};
    open_.reset();
    failed_.clear();
}

std::vector<FailedAttempt> Attempts::take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(failed_, {});
}

}  // namespace freshet::detail::nats
