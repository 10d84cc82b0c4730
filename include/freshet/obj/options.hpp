// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <freshet/detail/chrono.hpp>
#include <freshet/headers.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/stream.hpp>

namespace freshet::obj {

/// How an object store's bucket is declared (ADR-20). An unset setting is the default for a new bucket, and neither compared nor
/// changed for one that exists. What Declare::verify and reconcile want of each: its subjects, allow_rollup, which every
/// put needs, and with max_bytes that a full one refuses puts.
struct Options {
    std::string description = {};
    std::optional<std::chrono::nanoseconds> ttl = {};  ///< how long an object is kept; default: for ever
    std::optional<std::int64_t> max_bytes = {};  ///< of the whole bucket; a full one refuses puts; default: no limit
    std::optional<js::Storage> storage = {};     ///< default: file
    std::optional<int> replicas = {};            ///< servers that keep a copy: 1, 3 or 5; default: 1
    std::optional<js::Compression> compression = {};       ///< of files; default: none. Server 2.10
    std::optional<js::Placement> placement = {};           ///< where in a cluster it lives
    std::map<std::string, std::string> metadata = {};      ///< anything of yours. Server 2.10
    js::Declare declare = js::Declare::create_if_missing;  ///< what to do if it is missing, or has other settings
    js::ContextOptions context = {};
};

/// How far a transfer is.
struct Progress {
    std::uint64_t bytes = 0;               ///< moved so far
    std::optional<std::uint64_t> total{};  ///< if it is known before the end
};
/// Called after each chunk, in the thread that transfers. What it throws ends the transfer.
using ProgressCallback = std::function<void(const Progress&)>;

struct PutOptions {
    std::string description = {};
    Headers headers = {};
    std::map<std::string, std::string> metadata = {};
    std::size_t chunk_size = std::size_t{128} << 10;  ///< bytes of each message; at most the server's max_payload
    std::size_t window = std::size_t{8} << 20;        ///< bytes that may be on their way to the server
    ProgressCallback progress = {};
};

struct GetOptions {
    std::size_t window = std::size_t{8} << 20;  ///< bytes asked for ahead of the reader, which memory must hold
    ProgressCallback progress = {};
};

struct ListOptions {
    bool include_deleted = false;
};

/// Options of a watch.
struct WatchOptions {
    bool ignore_deletes = false;
    bool updates_only = false;  ///< only what changes from now on
};

/// What a bucket is, and how full.
struct Status {
    std::string bucket = {};
    std::string description = {};
    std::uint64_t bytes = 0;          ///< everything in it, descriptions included
    std::chrono::nanoseconds ttl{0};  ///< 0: objects are kept for ever
    js::Storage storage = js::Storage::file;
    int replicas = 1;
    bool sealed = false;
    bool compressed = false;
    std::map<std::string, std::string> metadata = {};
    js::StreamInfo stream = {};  ///< all there is to know of the stream that it is
};

}  // namespace freshet::obj
