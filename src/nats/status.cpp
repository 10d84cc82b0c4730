// SPDX-License-Identifier: Apache-2.0
#include "nats/status.hpp"

#include <array>

#include <fmt/format.h>

namespace freshet::detail::nats {
namespace {

/// Returns the text without the place in cnats's source in front of it: "(conn.c:123): ".
std::string_view without_place(std::string_view text) {
    const auto end = text.find("): ");
    return text.starts_with('(') && end != std::string_view::npos ? text.substr(end + 3) : text;
}

}  // namespace

Failure last_failure(natsStatus status) {
    natsStatus last = NATS_OK;
    const char* text = nats_GetLastError(&last);
    if (last != status || text == nullptr || *text == '\0') return {status, natsStatus_GetText(status)};
    return {status, std::string{without_place(text)}};
}

Failure remembered_error(natsConnection* connection) {
    std::array<char, 512> text{};
#ifdef FRESHET_HAS_NATSCONNECTION_READLASTERROR
    const auto status = natsConnection_ReadLastError(connection, text.data(), text.size());
#else
    const char* unsafe = nullptr;
    const auto status = natsConnection_GetLastError(connection, &unsafe);
    if (unsafe != nullptr) fmt::format_to_n(text.data(), text.size() - 1, "{}", unsafe);
#endif
    return {status, text.data()};
}

Errc to_errc(natsStatus status) noexcept {
    switch (status) {
        case NATS_TIMEOUT: return Errc::timeout;
        case NATS_NO_RESPONDERS: return Errc::no_responders;
        case NATS_NOT_FOUND: return Errc::not_found;
        case NATS_CONNECTION_CLOSED:
        case NATS_DRAINING:
        case NATS_INVALID_SUBSCRIPTION: return Errc::closed;
        case NATS_CONNECTION_DISCONNECTED:
        case NATS_IO_ERROR:
        case NATS_NO_SERVER:
        case NATS_NOT_YET_CONNECTED:
        case NATS_STALE_CONNECTION: return Errc::disconnected;
        case NATS_INSUFFICIENT_BUFFER: return Errc::buffer_full;
        case NATS_MAX_PAYLOAD: return Errc::payload_too_large;
        case NATS_INVALID_SUBJECT: return Errc::bad_subject;
        case NATS_CONNECTION_AUTH_FAILED:
        case NATS_NOT_PERMITTED: return Errc::unauthorized;
        default: return Errc::bad_setup;
    }
}

Error to_error(natsStatus status, std::string_view what) {
    return {to_errc(status), std::string{what} + ": " + last_failure(status).detail};
}

}  // namespace freshet::detail::nats
