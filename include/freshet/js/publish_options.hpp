// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <freshet/codec_format.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/headers.hpp>

namespace freshet::js {

/// A TTL of a message that the stream's max_age does not remove either: `Nats-TTL: never`.
inline constexpr std::chrono::nanoseconds never_expires = std::chrono::nanoseconds::max();

/// Tells the server to publish a stored message later or regularly (ADR-51). Set one of `at`, `every` and `cron`. The
/// stream needs allow_msg_schedules. The subject of the message is the name of the schedule: publish to it again to
/// replace the schedule, purge it to end the schedule.
struct Schedule {
    std::optional<std::chrono::system_clock::time_point> at = {};  ///< once, at this time; a time in the past: at once
    std::chrono::nanoseconds every{0};                             ///< regularly, at least 1 s apart. Server 2.14
    std::string cron = {};  ///< seconds, minutes, hours, day, month, weekday; or `@hourly`, `@daily`... Server 2.14
    std::string time_zone = {};       ///< time zone of `cron`, such as Europe/Berlin; empty: UTC
    std::string target = {};          ///< the subject that the server publishes to; the same stream must store it
    std::string source = {};          ///< publishes the last message of this subject, not the stored body. Server 2.14
    std::chrono::nanoseconds ttl{0};  ///< TTL of each message that the server publishes, at least 1 s; 0: none
    bool rollup = false;              ///< each message removes the target's earlier messages. Server 2.14
};

/// Options of one publication into a stream. If one of the expectations is not met, the server stores nothing and the
/// publication fails.
struct PublishOptions {
    Headers headers = {};
    /// The message's id: a stream stores each id once within its duplicate_window, however often you publish it.
    std::string id = {};
    std::string expect_stream = {};                          ///< stream that stores it; else Errc::wrong_stream
    std::optional<std::uint64_t> expect_last_sequence = {};  ///< sequence of the stream; else Errc::wrong_last_sequence
    /// Sequence of the subject's last message, 0 if there is none; else Errc::wrong_last_sequence.
    std::optional<std::uint64_t> expect_last_subject_sequence = {};
    /// Subject of expect_last_subject_sequence, wildcards allowed; empty: the subject of the message. Server 2.11.
    std::string expect_last_subject = {};
    std::string expect_last_id = {};  ///< id of the stream's last message; else Errc::wrong_last_id
    /// How long the server keeps the message, at least 1 s; 0: as the stream's max_age says; never_expires: for ever.
    /// Server 2.11 (ADR-43).
    std::chrono::nanoseconds ttl{0};
    std::optional<Schedule> schedule = {};  ///< the server stores the message and publishes it later. Server 2.12
    /// With an id: time until the message is acknowledged, repeats included; 0: 20 s, longer than a cluster takes to
    /// elect a leader. Without an id, or with `retries`: time for each acknowledgement; 0: ContextOptions::timeout.
    std::chrono::milliseconds timeout{0};
    /// How often the message is sent again after an error that passes, as when no stream answers for a moment because
    /// a cluster elects a leader (ADR-22), or, with an id, when no acknowledgement comes. Default: with an id, as
    /// often as `timeout` allows; without one twice.
    std::optional<int> retries = {};
    std::chrono::milliseconds retry_wait{250};  ///< pause before each retry
    std::optional<Format> format = {};          ///< format of a typed body; default: BrokerOptions::format
};

/// Says that the server has stored a message, and where.
struct PublishAck {
    std::string stream = {};
    std::uint64_t sequence = 0;
    bool duplicate = false;     ///< this message was not stored: one with its id already was, at `sequence`
    std::string domain = {};    ///< the stream's JetStream domain; empty: none
    std::string value = {};     ///< value of a counter after the increment: decimal digits of any length
    std::uint64_t batched = 0;  ///< messages of an atomic batch; `sequence` is that of the last one
};

}  // namespace freshet::js
