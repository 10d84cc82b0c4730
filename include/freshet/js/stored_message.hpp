// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/codec.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>

namespace freshet::js {

/// A message that was read from a stream. Move-only.
struct StoredMessage {
    std::string subject = {};
    std::uint64_t sequence = 0;
    std::chrono::system_clock::time_point time = {};  ///< when the server stored it
    /// Body and headers. With Read::direct it also has headers that the server adds, such as `Nats-Stream`.
    Message message = {};

    /// Returns the body. The view is valid as long as this object.
    Bytes payload() const noexcept { return message.payload(); }
    /// Returns the body as text. The view is valid as long as this object.
    std::string_view text() const noexcept { return message.text(); }
    /// Returns the body as T. Throws Errc::bad_payload if it does not decode.
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
