// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <freshet/codec_format.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/headers.hpp>

namespace freshet::js {

/// When the server itself publishes a stored message (ADR-51): one of `at`, `every` and `cron`. The stream needs allow_msg_schedules, and the
/// subject published to is the schedule's name: publishing to it again replaces the schedule, purging it ends it.
struct Schedule {
    std::optional<std::chrono::system_clock::time_point> at = {};  ///< once; at once, if it is past
    std::chrono::nanoseconds every{0};                             ///< again and again, at least 1 s. Server 2.14
    std::string cron = {};  ///< seconds, minutes, hours, day, month, weekday; or `@hourly`, `@daily`... Server 2.14
    std::string time_zone = {};  ///< of `cron`, such as Europe/Berlin; empty: UTC
    std::string target = {};     ///< the subject published to, in the same stream
    std::string source = {};     ///< publish the last message of this subject instead of the stored body. Server 2.14
    std::chrono::nanoseconds ttl{0};  ///< of what is published, at least 1 s; 0: none
    bool rollup = false;              ///< what is published removes its target's earlier messages. Server 2.14
};

/// Options of one publication into a stream. What is expected and not so is an error, and nothing is stored.
struct PublishOptions {
    Headers headers = {};
    std::string id = {};  ///< stored once, however often it is published within the stream's duplicate_window
    std::string expect_stream = {};                          ///< the stream that stores it; else Errc::wrong_stream
    std::optional<std::uint64_t> expect_last_sequence = {};  ///< of the stream; else Errc::wrong_last_sequence
    /// The sequence of the subject's last message, 0 if it has none; else Errc::wrong_last_sequence.
    std::optional<std::uint64_t> expect_last_subject_sequence = {};
    std::string expect_last_subject =
        {};  ///< the subject that this is about, wildcards allowed; empty: the one published to. Server 2.11
    std::string expect_last_id = {};  ///< of the stream's last message; else Errc::wrong_last_id
    std::chrono::nanoseconds ttl{0};  ///< the message is removed after it, at least 1 s; 0: never. Server 2.11 (ADR-43)
    std::optional<Schedule> schedule = {};  ///< stored to be published later. Server 2.12
    std::chrono::milliseconds timeout{0};   ///< for each acknowledgement; 0: the context's
    /// How often it is sent again where no stream answers, as happens for a moment when a cluster elects a leader (ADR-22).
    int retries = 2;
    std::chrono::milliseconds retry_wait{250};  ///< before each of these
    std::optional<Format> format = {};          ///< of a typed body; default: the broker's
};

/// The server's word that a message is stored.
struct PublishAck {
    std::string stream = {};
    std::uint64_t sequence = 0;
    bool duplicate = false;     ///< a message of this id had been stored before, at this sequence; this one was not
    std::string domain = {};    ///< of the stream; empty: none
    std::string value = {};     ///< of a counter, after the increment: decimal digits of any length
    std::uint64_t batched = 0;  ///< messages of an atomic batch, this one included; `sequence` is the last one's
};

}  // namespace freshet::js
