// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/codec.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>

namespace freshet::js {

/// A message as a stream has it. Move-only.
struct StoredMessage {
    std::string subject = {};
    std::uint64_t sequence = 0;
    std::chrono::system_clock::time_point time = {};  ///< when it was stored
    Message message =
        {};  ///< body and headers; read directly (Read::direct), it has headers of the server's, too: `Nats-Stream`...

    Bytes payload() const noexcept { return message.payload(); }
    std::string_view text() const noexcept { return message.text(); }
    /// The body as T. Throws Error(Errc::bad_payload).
    template <class T>
    T decode() const {
        return freshet::decode<T>(message);
    }
    template <class T>
    Expected<T> try_decode() const {
        return freshet::try_decode<T>(message);
    }
};

}  // namespace freshet::js
