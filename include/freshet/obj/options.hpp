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

/// How an object store's bucket is declared (ADR-20). An unset setting has its default in a new bucket, and is neither
/// compared nor changed in an existing one. Declare::verify and Declare::reconcile also require the bucket's subjects,
/// allow_rollup (which every put needs), and with max_bytes that a full bucket refuses puts.
struct Options {
    std::string description = {};
    std::optional<std::chrono::nanoseconds> ttl = {};  ///< how long an object is kept; default: for ever
    std::optional<std::int64_t> max_bytes = {};  ///< size of the bucket; a full one refuses puts; default: no limit
    std::optional<js::Storage> storage = {};     ///< default: file
    std::optional<int> replicas = {};            ///< servers that keep a copy: 1, 3 or 5; default: 1
    std::optional<js::Compression> compression = {};       ///< compression of files; default: none. Server 2.10
    std::optional<js::Placement> placement = {};           ///< where in a cluster the server places it
    std::map<std::string, std::string> metadata = {};      ///< anything of yours. Server 2.10
    js::Declare declare = js::Declare::create_if_missing;  ///< what to do if it is missing or has other settings
    js::ContextOptions context = {};                       ///< which JetStream to use
};

/// How far a transfer has come.
struct Progress {
    std::uint64_t bytes = 0;               ///< bytes moved so far
    std::optional<std::uint64_t> total{};  ///< bytes in all, if that is known before the end
};
/// Called after each chunk, on the thread that called put or get. An exception from it ends the transfer and comes out
/// of that call.
using ProgressCallback = std::function<void(const Progress&)>;

/// Options of Store::put.
struct PutOptions {
    std::string description = {};
    Headers headers = {};
    std::map<std::string, std::string> metadata = {};
    /// Bytes of each chunk, at most the server's max_payload. Default (0): 128 KiB, or half of max_payload if
    /// that is less.
    std::size_t chunk_size = 0;
    std::size_t window = std::size_t{8} << 20;  ///< most bytes on their way to the server at a time
    ProgressCallback progress = {};             ///< called after each chunk
};

/// Options of Store::get.
struct GetOptions {
    std::size_t window = std::size_t{8} << 20;  ///< most bytes requested ahead and held in memory
    ProgressCallback progress = {};             ///< called after each chunk
    /// Most bytes of an object that get() returns as a string; a larger one is Errc::payload_too_large. Default: 1 GiB.
    std::uint64_t max_in_memory = std::uint64_t{1} << 30;
};

/// Options of Store::list.
struct ListOptions {
    bool include_deleted = false;  ///< lists deleted objects too
};

/// Options of Store::watch.
struct WatchOptions {
    bool ignore_deletes = false;  ///< reports no deletions
    bool updates_only = false;    ///< reports only changes from now on
};

/// Describes a bucket and how full it is.
struct Status {
    std::string bucket = {};
    std::string description = {};
    std::uint64_t bytes = 0;          ///< size of all objects and descriptions
    std::chrono::nanoseconds ttl{0};  ///< 0: objects are kept for ever
    js::Storage storage = js::Storage::file;
    int replicas = 1;
    bool sealed = false;
    bool compressed = false;
    std::map<std::string, std::string> metadata = {};
    js::StreamInfo stream = {};  ///< the stream that holds the bucket
};

}  // namespace freshet::obj
