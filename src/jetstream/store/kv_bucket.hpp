// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/kv_bucket.hpp>
#include <freshet/kv/options.hpp>

#include "jetstream/store/kv_codecs.hpp"
#include "jetstream/store/kv_writes.hpp"
#include "jetstream/store/store_bucket.hpp"
#include "jetstream/store/store_watch.hpp"

namespace freshet::detail {

inline constexpr std::string_view kv_stream_prefix = "KV_";

/// Returns the stream of a bucket (ADR-8); with `fresh`, with the defaults of a new one. Throws Error(Errc::bad_setup)
/// for invalid options.
js::Stream kv_stream(const std::string& bucket, const kv::Options& options, bool fresh);

/// A key-value bucket: turns its operations into messages. Thread-safe.
class KvBucket : public std::enable_shared_from_this<KvBucket> {
public:
    KvBucket(Link& link, std::string name, const kv::Options& options);

    Expected<std::optional<KvRecord>> get(std::string_view key, std::uint64_t revision);
    Expected<std::uint64_t> write(std::string_view key, const Encoded& encoded, const KvWrite& write);
    void get_async(std::string_view key, KvFound done);
    void write_async(std::string_view key, const Encoded& encoded, const KvWrite& write, KvWritten done);
    Expected<std::uint64_t> create(std::string_view key, const Encoded& encoded, std::chrono::nanoseconds ttl);
    Expected<void> scan(const KvScan& scan, const std::function<bool(KvRecord)>& each);
    Expected<std::uint64_t> purge_deletes(const kv::PurgeDeletesOptions& options);
    Expected<kv::Status> status();
    /// Returns what to watch. Blocks until the bucket is declared. The result keeps this object alive, to declare the
    /// bucket again when the server has lost it.
    Expected<WatchSpec> watch(const std::vector<std::string>& filters, const kv::WatchOptions& options);

    StoreBucket& store() noexcept { return store_; }
    const StoreBucket& store() const noexcept { return store_; }

private:
    /// Reads the stream: the latest entry of a key comes again if somebody writes it meanwhile.
    Expected<void> read_stream(const KvScan& scan, const std::vector<std::string>& filters,
                               const std::function<bool(KvRecord)>& each);
    Expected<std::vector<std::string>> stored_filters(const std::vector<std::string>& filters) const;
    Expected<Encoded> stored_value(std::string_view key, const Encoded& encoded, const KvWrite& write,
                                   std::string& memory) const;
    Expected<js::StoredMessage> read(const js::StreamInfo& info, std::string_view key, std::uint64_t revision,
                                     js::Read read) const;
    /// Returns the latest entry of a key, also a deletion; with `revision` the entry that it wrote.
    Expected<std::optional<KvRecord>> latest(std::string_view key, std::uint64_t revision, js::Read read);
    /// Returns the entry that was read for a key; nothing if there is none.
    Expected<std::optional<KvRecord>> found(std::string_view key, Expected<js::StoredMessage> stored) const;
    Expected<void> check(std::string_view key, const KvWrite& write) const;
    Expected<void> check_key(std::string_view key) const;
    /// Returns the key as the bucket stores it. It has been checked.
    std::string_view stored_key(std::string_view key, std::string& memory) const;
    /// A get that does not wait.
    struct Asked {
        std::string key;
        KvFound done;
        ElectionPace pace = {};
    };
    /// Asks for a key without waiting. Asks again while a cluster elects a leader.
    void ask(Asked asked);
    /// Does so in a bucket that is there.
    void ask_latest(const std::shared_ptr<const js::StreamInfo>& info, Asked asked);
    /// Returns whether the get was put off, to be repeated; it is moved from then.
    bool ask_later(Asked& asked, const Error& error);
    /// Writes a key without waiting, into a bucket that is there. Sends it again while a cluster elects a leader.
    void send(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key, const Encoded& encoded,
              const KvWrite& write, KvWritten done);
    void send_repeatedly(std::string_view key, const Encoded& encoded, const KvWrite& write, KvWritten done);
    KvWrites& repeated_writes();
    /// Writes a key once.
    void send_write(const std::shared_ptr<const js::StreamInfo>& info, const KvOutgoing& message, KvWritten done);
    void send_write(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key, const Encoded& encoded,
                    const KvWrite& write, Headers headers, KvWritten done);
    /// Returns the revision in the answer to a write.
    Expected<std::uint64_t> written(std::string_view key, std::string_view verb, const Expected<Message>& answer) const;
    std::string what(std::string_view verb, std::string_view key) const;

    StoreBucket store_;
    const KvCodecs codecs_;
    std::mutex mutex_ = {};
    std::shared_ptr<KvWrites> repeated_ = {};  // of a bucket in a cluster
};

}  // namespace freshet::detail
