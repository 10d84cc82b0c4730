// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/publish_options.hpp>
#include <freshet/js/stored_message.hpp>
#include <freshet/js/stream_handle.hpp>

namespace freshet::detail {
class JsApi;
}

namespace freshet::js {

/// A dead letter that a stream keeps: the copy of a message that was given up (js::Retry::dead_letter), with the
/// reason. Move-only. Views are valid as long as this object.
class DeadLetter : public StoredMessage {
public:
    explicit DeadLetter(StoredMessage stored) noexcept : StoredMessage{std::move(stored)} {}

    /// Returns why the message was given up: what its handler threw or said.
    std::string_view reason() const { return text_of("Dead-Letter-Reason"); }
    /// Returns the subject of the message itself; empty if this is no dead letter.
    std::string_view original_subject() const { return text_of("Dead-Letter-Subject"); }
    /// Returns the stream from which the message came.
    std::string_view original_stream() const { return text_of("Dead-Letter-Stream"); }
    /// Returns the consumer whose handler gave the message up.
    std::string_view original_consumer() const { return text_of("Dead-Letter-Consumer"); }
    /// Returns the sequence of the message in its stream.
    std::uint64_t original_sequence() const { return number_of("Dead-Letter-Sequence"); }
    /// Returns when its stream stored the message; nothing if the letter does not say it.
    std::optional<std::chrono::system_clock::time_point> original_time() const;
    /// Returns how often the server delivered the message.
    std::uint64_t deliveries() const { return number_of("Dead-Letter-Deliveries"); }
    /// Returns the headers of the message, without those of the letter, and without those that begin with `Nats-`,
    /// which were commands to the server. `Nats-TTL` alone is kept: it says how long the message is of use.
    Headers original_headers() const;
    /// Returns false if the letter lacks the payload of the message, because it would have been too large.
    bool complete() const { return !header("Dead-Letter-Payload-Size").has_value(); }

private:
    std::string_view text_of(std::string_view header_name) const { return header(header_name).value_or(""); }
    std::uint64_t number_of(std::string_view header_name) const;
};

/// Which dead letters DeadLetters::list, retry_all and drop_all mean. Default: all of them.
struct DeadLetterFilter {
    std::string subject = {};         ///< the message's own subject, wildcards allowed; empty: any
    std::string stream = {};          ///< the message's own stream; empty: any
    std::string consumer = {};        ///< the consumer whose handler gave the message up; empty: any
    std::string reason = {};          ///< text that the reason contains; empty: any
    std::uint64_t from_sequence = 0;  ///< the first sequence in the stream of dead letters; 0: from the beginning
    std::size_t limit = 0;            ///< the most letters; 0: no limit
    /// A further condition; default: none.
    std::function<bool(const DeadLetter& letter)> matches = {};
};

/// What DeadLetters::retry_all has done.
struct DeadLetterRetries {
    /// A letter that could not be published again, and stays.
    struct Failure {
        std::uint64_t sequence = 0;  ///< in the stream of dead letters
        Error error;                 ///< why
    };
    std::size_t retried = 0;           ///< letters whose messages are in a stream again
    std::vector<Failure> failed = {};  ///< the others, in their order
};

/// The dead letters that a stream keeps, for a person or a program that looks after them:
/// `js::DeadLetters letters{broker, "DEAD"}`. See docs/dead-letters.md.
///
/// Cheap to copy. Thread-safe. The broker must outlive this object and must have been started when a function is
/// called, else Errc::closed. Functions block for the answers of the server, for ContextOptions::timeout at most each;
/// list, retry_all and drop_all ask once per message that the stream keeps. Every function throws Error; its try_ twin
/// returns the error as a value.
class DeadLetters {
public:
    /// `stream` keeps the dead letters. Throws Error(Errc::bad_setup) for a domain or prefix that is not valid.
    DeadLetters(Broker& broker, std::string stream, const ContextOptions& context = {});

    /// Returns the dead letters that `filter` means, oldest first.
    std::vector<DeadLetter> list(const DeadLetterFilter& filter = {}) const { return value_or_raise(try_list(filter)); }
    Expected<std::vector<DeadLetter>> try_list(const DeadLetterFilter& filter = {}) const;

    /// Returns the dead letter with this sequence. Throws Errc::message_not_found if there is none, Errc::bad_payload
    /// if the message there is no dead letter.
    DeadLetter show(std::uint64_t sequence) const { return value_or_raise(try_show(sequence)); }
    Expected<DeadLetter> try_show(std::uint64_t sequence) const;

    /// Publishes the message of a dead letter again, to its own subject with its own headers, and removes the letter
    /// when a stream has stored the message. The message gets a `Nats-Msg-Id` of this letter, so that it is stored once
    /// even if it is retried again because an answer was lost, or by two programs. Every consumer of that stream gets
    /// the message. Throws Errc::bad_payload for a letter without its payload (DeadLetter::complete), Errc::no_stream
    /// if no stream stores the subject; the letter then stays.
    PublishAck retry(std::uint64_t sequence) const { return value_or_raise(try_retry(sequence)); }
    Expected<PublishAck> try_retry(std::uint64_t sequence) const;

    /// Removes a dead letter for good. Throws Errc::message_not_found if there is none, Errc::bad_payload if the
    /// message there is no dead letter.
    void drop(std::uint64_t sequence) const { value_or_raise(try_drop(sequence)); }
    Expected<void> try_drop(std::uint64_t sequence) const;

    /// Retries all that `filter` means and that is there now, oldest first. A letter that cannot be retried stays and
    /// is in the result. Throws if the server does not answer any more; call it again then: nothing is stored twice.
    DeadLetterRetries retry_all(const DeadLetterFilter& filter = {}) const {
        return value_or_raise(try_retry_all(filter));
    }
    Expected<DeadLetterRetries> try_retry_all(const DeadLetterFilter& filter = {}) const;

    /// Removes all that `filter` means and that is there now, for good. Returns how many.
    std::size_t drop_all(const DeadLetterFilter& filter = {}) const { return value_or_raise(try_drop_all(filter)); }
    Expected<std::size_t> try_drop_all(const DeadLetterFilter& filter = {}) const;

    /// Returns the stream of the dead letters.
    const StreamHandle& stream() const noexcept { return stream_; }

private:
    using Take = std::function<Expected<void>(DeadLetter letter)>;

    /// Calls `take` with each letter that `filter` means, until it fails.
    Expected<void> each(const DeadLetterFilter& filter, const Take& take) const;
    Expected<PublishAck> publish_again(const DeadLetter& letter) const;
    std::string what(std::string_view verb, std::uint64_t sequence) const;

    std::shared_ptr<const detail::JsApi> api_;
    StreamHandle stream_;
};

}  // namespace freshet::js
