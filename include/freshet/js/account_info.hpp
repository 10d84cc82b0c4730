// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace freshet::js {

/// What an account's streams take up.
struct AccountUsage {
    std::uint64_t memory = 0;            ///< bytes of streams in memory
    std::uint64_t storage = 0;           ///< bytes of streams in files
    std::uint64_t reserved_memory = 0;   ///< bytes that streams with max_bytes may take up
    std::uint64_t reserved_storage = 0;  ///< bytes that streams with max_bytes may take up
    std::uint64_t streams = 0;
    std::uint64_t consumers = 0;
};

/// What an account may have. -1: no limit.
struct AccountLimits {
    std::int64_t max_memory = -1;   ///< bytes
    std::int64_t max_storage = -1;  ///< bytes
    std::int64_t max_streams = -1;
    std::int64_t max_consumers = -1;
    std::int64_t max_ack_pending = -1;           ///< of one consumer
    std::int64_t memory_max_stream_bytes = -1;   ///< of one stream in memory
    std::int64_t storage_max_stream_bytes = -1;  ///< of one stream in files
    bool max_bytes_required = false;             ///< each stream must have a max_bytes
};

/// Usage and limits of the streams with so many replicas.
struct AccountTier {
    AccountUsage usage = {};
    AccountLimits limits = {};
};

/// An account as JetStream sees it.
struct AccountInfo {
    AccountUsage usage = {};
    AccountLimits limits = {};
    std::map<std::string, AccountTier> tiers = {};  ///< of "R1", "R3"...; empty: the account has one limit for all
    std::string domain = {};                        ///< empty: none
    int api_level = 0;                              ///< 0: before 2.11
    std::uint64_t api_requests = 0;                 ///< so far
    std::uint64_t api_errors = 0;                   ///< so far
};

}  // namespace freshet::js
