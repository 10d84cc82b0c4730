// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <freshet/transport.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/store/stream_inbox.hpp"

namespace freshet::detail {

/// Which messages of a stream to read.
struct ReadSpec {
    std::string stream = {};
    std::vector<std::string> filters = {};  ///< subjects; more than one needs nats-server 2.10
    /// Reads only the latest message of each subject. One that is written meanwhile comes again (see latest.hpp).
    bool last_per_subject = false;
    bool headers_only = false;
    std::size_t batch = 256;                    ///< messages requested at a time; two batches are under way
    std::size_t window = std::size_t{8} << 20;  ///< most bytes of both batches; a larger message comes alone
    StreamInbox::Arrived arrived = {};          ///< called for each message on the receiving thread; may be empty
    std::string what = "read";                  ///< the action and its object, for error messages
};

/// Reads the messages that a stream holds, in order and without gaps, up to its end, through a consumer of its own
/// without acks. A slow reader holds up the server and needs no more memory. After a failure on the way (a lost
/// connection, a deleted consumer), goes on reading where it stopped. One thread at a time.
class StreamReader {
public:
    StreamReader(const JsApi& api, ReadSpec spec);
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;
    ~StreamReader();

    /// Blocks until a message comes and returns it; returns nothing at the end. After an error it returns only that
    /// error.
    Expected<std::optional<StreamMessage>> next();

private:
    Expected<void> begin();
    /// Makes a consumer that begins behind the last message.
    Expected<void> make_consumer();
    void drop_consumer() noexcept;
    Expected<void> pull();
    Expected<void> recover();

    const JsApi& api_;
    ReadSpec spec_;
    std::string inbox_ = {};  // with a dot at its end
    std::shared_ptr<StreamInbox> received_ = {};
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::string consumer_ = {};
    std::size_t asked_ = 0;  // messages that the consumer was asked for and that have not come
    bool alone_ = false;     // the next message is larger than a request may bring, and comes alone
    int failures_ = 0;       // in a row, without a message
    bool at_end_ = false;
    std::optional<Error> failed_ = {};
};

}  // namespace freshet::detail
