// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet {

/// How values are distributed: how many were at most as large as each bound. Empty unless the broker has Metrics
/// (<freshet/metrics.hpp>).
struct HistogramStats {
    std::vector<double> bounds = {};         ///< upper bounds of the buckets, ascending; seconds, or bytes of sizes
    std::vector<std::uint64_t> counts = {};  ///< values in each bucket; one more than bounds, for those above all
    double sum = 0;                          ///< of all values

    /// Returns how many values were taken.
    std::uint64_t count() const noexcept {
        std::uint64_t total = 0;
        for (const auto one : counts) total += one;
        return total;
    }
};

/// How many failures there were of each kind. The name is that of a Condition, such as "timeout" or "no_responders";
/// "exception" for exceptions that are neither an Error nor a std::system_error; else "other".
using ErrorKinds = std::vector<std::pair<std::string, std::uint64_t>>;

/// What the server says of a JetStream consumer and its stream. Metrics asks for it now and then.
struct ConsumerLag {
    std::uint64_t pending = 0;          ///< messages that were not delivered to anybody yet
    std::uint64_t ack_pending = 0;      ///< delivered messages that are not acknowledged
    std::uint64_t redelivered = 0;      ///< of these, the ones that were delivered more than once
    std::uint64_t waiting = 0;          ///< pull requests that wait for messages
    std::uint64_t stream_messages = 0;  ///< messages in the stream
    std::uint64_t stream_bytes = 0;     ///< their bytes
};

/// Counters of a subscriber's JetStream consumer since the subscriber was started.
struct ConsumerStats {
    std::string stream = {};
    std::string consumer = {};
    std::uint64_t redeliveries = 0;          ///< messages that came although they had been delivered before
    std::uint64_t dead_letters = 0;          ///< dead letters that were kept
    std::uint64_t dead_letters_refused = 0;  ///< attempts to publish one that nobody confirmed: the message stays
    std::uint64_t recoveries = 0;            ///< how often the consumer was found or made again after a loss
    std::optional<ConsumerLag> lag = {};     ///< the last answer of the server; empty: none was asked for, or none came
};

/// How many messages ended with an error of one code.
struct ErrorCount {
    int code = 0;             ///< what a caller got, or would have got, as `Nats-Service-Error-Code`
    std::uint64_t count = 0;  ///< number of messages
};

/// Counters of a subscriber since it was started.
struct SubscriberStats {
    std::uint64_t received = 0;  ///< messages that were taken up to be handled
    std::uint64_t failed = 0;    ///< of those received: the handler threw or said so, or a publication failed
    /// of those received: refused before the handler ran, such as a body that does not decode or a path that does not
    /// parse
    std::uint64_t rejected = 0;
    std::uint64_t dropped = 0;   ///< lost: more waited than max_pending_messages or _bytes, or a stop's time was over
    std::uint64_t skipped = 0;   ///< of those received: the handler threw Skip
    std::size_t pending = 0;     ///< messages that wait now
    std::uint64_t declined = 0;  ///< of those received: answered on purpose with an error of 400 to 499; not a failure
    std::vector<ErrorCount> errors = {};  ///< failed, rejected and declined messages by the code of the error
    // What became of those received; the rest is in hand.
    std::uint64_t acked = 0;          ///< done
    std::uint64_t nacked = 0;         ///< not done; a message of a stream comes again
    std::uint64_t terminated = 0;     ///< given up
    std::uint64_t refused = 0;        ///< of those rejected: given up without a dead letter
    std::uint64_t dead_lettered = 0;  ///< given up and published as a dead letter, see ConsumerStats
    // Why messages failed or were rejected:
    std::uint64_t said_nack = 0;       ///< of those failed: the handler chose Outcome::nack
    std::uint64_t said_term = 0;       ///< of those failed: the handler chose Outcome::term
    std::uint64_t undecodable = 0;     ///< of those rejected: the body does not decode
    std::uint64_t bad_parameters = 0;  ///< of those rejected: a header is missing, or a token of the subject is wrong
    std::uint64_t unmatched = 0;       ///< of those rejected: no when() matched
    ErrorKinds error_kinds = {};       ///< errors of those that failed or were rejected; kinds that occurred
    HistogramStats duration = {};      ///< how long handlers took; a batch counts once
    HistogramStats size = {};          ///< bytes of bodies
    HistogramStats batch = {};         ///< messages in a batch
    HistogramStats waiting = {};       ///< how long messages waited for `workers`, `dedicated` or a batch
    std::optional<ConsumerStats> consumer = {};  ///< the subscriber's JetStream consumer; empty: it has none

    /// Returns the number of messages in hand: taken up, and not settled yet.
    std::uint64_t in_flight() const noexcept {
        const auto settled = acked + nacked + terminated + refused + dead_lettered;
        return received > settled ? received - settled : 0;
    }
};

/// Counters of a publisher's subject since the broker was made.
struct PublisherStats {
    /// the template as declared; "(dynamic)" for subjects that were given to publish, "(reply)" for answers, "(stream)"
    /// for what JetStream::publish and AsyncPublisher publish, "(other)" beyond a thousand templates
    std::string subject = {};
    std::uint64_t published = 0;  ///< messages that were sent; of "(stream)": that a stream has stored
    std::uint64_t failed = 0;     ///< messages that were not
    ErrorKinds error_kinds = {};  ///< of those that failed; kinds that occurred
    HistogramStats duration = {};
};

/// Counters of the requests on a subject since the broker was made.
struct RequestStats {
    std::string subject = {};         ///< of a Client; "(dynamic)" for subjects that were given to request
    std::uint64_t ok = 0;             ///< an answer came
    std::uint64_t error = 0;          ///< an error came or happened
    std::uint64_t timeout = 0;        ///< nothing came within the deadline
    std::uint64_t no_responders = 0;  ///< nobody listened
    HistogramStats ok_duration = {};
    HistogramStats error_duration = {};
    HistogramStats timeout_duration = {};
    HistogramStats no_responders_duration = {};
};

/// Counters of one operation on a bucket since the broker was made.
struct StoreStats {
    std::string store = {};      ///< "kv" or "object"
    std::string bucket = {};     ///< its name
    std::string operation = {};  ///< "get", "put"...
    std::uint64_t ok = 0;        ///< operations that succeeded, also those that found nothing
    std::uint64_t failed = 0;    ///< operations that returned an error or threw
    HistogramStats duration = {};
};

/// One series of values that Metrics measures: what the values are, and whose.
struct ValueSeries {
    enum class What : std::uint8_t {
        handling,    ///< seconds that a handler took
        size,        ///< bytes of a body
        batch,       ///< messages in a batch
        waiting,     ///< seconds that a message waited for a thread or a batch
        publishing,  ///< seconds until a message was sent; of "(stream)": was stored
        request,     ///< seconds until an answer or an error came
        store,       ///< seconds that an operation on a bucket took
    };

    What what = What::handling;
    std::string_view subject = {};    ///< as declared; of a store its bucket
    std::string_view group = {};      ///< the queue group or the durable consumer; of a store "kv" or "object"
    std::string_view operation = {};  ///< of a store; of a request how it ended: "ok", "error"...
};

/// Is told each value of one series, for instruments of another library. Called from every thread that handles,
/// publishes and asks, so it must be quick and must not call freshet.
class ValueRecorder {
public:
    ValueRecorder() = default;
    ValueRecorder(const ValueRecorder&) = delete;
    ValueRecorder& operator=(const ValueRecorder&) = delete;
    virtual ~ValueRecorder() = default;
    virtual void record(double value) noexcept = 0;
};

}  // namespace freshet
