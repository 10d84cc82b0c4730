// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>

namespace freshet {
class Item;
}

namespace freshet::detail {

class Confirmations;

/// A publication of a handler of batches, which waits for the end of the handler.
struct Letter {
    std::string subject = {};
    std::string body = {};
    std::string_view content_type = {};  ///< a literal, from Encoded
    Headers headers = {};
    std::string id = {};         ///< its `Nats-Msg-Id`
    const Item* item = nullptr;  ///< the message of the batch that it was published for; null: the whole batch
};

/// Publishes into streams for the handlers of messages that are kept until they are acknowledged. A source has one if
/// its messages are such. Thread-safe.
class Confirmer {
public:
    Confirmer() = default;
    Confirmer(const Confirmer&) = delete;
    Confirmer& operator=(const Confirmer&) = delete;
    virtual ~Confirmer() = default;

    /// Returns the subjects of streams that confirm what they store, as the streams have them, of which some messages
    /// on `pattern` are. Blocks.
    virtual Expected<std::vector<std::string>> stored_of(std::string_view pattern) = 0;

    /// Sends a message, and tells `confirmations`, which expect it, once: perhaps before this returns, on any thread.
    /// Returns an error, and tells nothing, if the message cannot be sent. Blocks while too many have no confirmation.
    virtual Expected<void> publish(std::string_view subject, const Encoded& encoded, Headers headers, std::string id,
                                   std::shared_ptr<Confirmations> confirmations) = 0;

    /// Publishes the letters, together or not at all where the stream can do that. Blocks until all are confirmed, and
    /// returns the first failure. A letter may then be stored, and is not stored again with the same id.
    virtual Expected<void> publish_together(std::span<const Letter> letters) = 0;
};

}  // namespace freshet::detail
