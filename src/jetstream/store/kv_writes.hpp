// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/detail/kv_bucket.hpp>

#include "jetstream/api/election.hpp"

namespace freshet::detail {

/// A write that may be sent more than once.
struct KvOutgoing {
    std::string key = {};
    std::string body = {};
    std::string_view content_type = {};  // a literal, from Encoded
    KvWrite write = {};
    std::string id = {};  // its Nats-Msg-Id, where ids are of use
    bool asks = false;    // whether it is stored already, and is not to be stored
};

/// Sends writes that do not wait, and sends those again that a cluster refused or did not answer because it was
/// electing a leader. Writes of one key keep the order of their calls: such a one is sent again only when the later
/// ones have their answers, and never when one of these was stored; then it only asks whether it was stored, too. Has
/// no connection: `Send` sends. Thread-safe.
class KvWrites : public std::enable_shared_from_this<KvWrites> {
public:
    /// Whether a write left for the server. One that did not may be repeated after any error.
    enum class Left : std::uint8_t {
        no,
        yes,
        with_id,  ///< by which the server knows it when it comes again
    };
    using Answered = std::move_only_function<void(Expected<std::uint64_t> revision, Left left)>;
    /// Sends a write. Calls `done` once, on any thread, perhaps before it returns.
    using Send = std::function<void(const KvOutgoing& message, Answered done)>;
    /// What an error means.
    enum class Verdict : std::uint8_t {
        final,
        refused,  ///< this attempt stored nothing, and the next one may
        unknown,  ///< this attempt may have stored it
    };
    using Judge = std::function<Verdict(const Error& error, Left left)>;

    /// Reports exceptions of a `done`.
    using Report = std::function<void(const Error& why)>;

    KvWrites(Clock& clock, Send send, Judge judge, Report report)
        : clock_{clock}, send_{std::move(send)}, judge_{std::move(judge)}, report_{std::move(report)} {}

    /// Calls `done` once with the revision or the error.
    void write(KvOutgoing message, KvWritten done);

private:
    struct Write;
    using Writes = std::vector<std::shared_ptr<Write>>;
    /// The writes of one key that have no result yet, in the order of their calls.
    struct Line {
        Writes writes = {};
        std::size_t sent = 0;      // how many wait for their answer
        std::uint64_t stored = 0;  // the number of the latest that was stored
        bool blocked = false;      // a refused one waits to be sent again, and later ones wait behind it
        bool resuming = false;     // a thread sends those that waited
        bool scheduled = false;
    };
    class Timer;

    void send(const std::shared_ptr<Write>& write) noexcept;
    void answered(const std::shared_ptr<Write>& write, Expected<std::uint64_t> revision, Left left) noexcept;
    void tell(Write& write, Expected<std::uint64_t> revision) noexcept;
    bool may_repeat(Write& write, const Line& line, const Error& error, Left left);
    /// Removes and returns the refused writes of a key that is stored with a later value; those of which it is not
    /// known whether they were stored are to ask.
    static Writes take_late(Line& line);
    /// Returns when the line is to be resumed; nothing if that is not to be scheduled now.
    static std::optional<TimePoint> time_to_resume(Line& line);
    void schedule(const std::string& key, TimePoint when) noexcept;
    void resume(const std::string& key) noexcept;
    /// Sends the next write that waits, and returns it; null if there is none.
    std::shared_ptr<Write> take_next(const std::string& key);
    void abandon(const std::string& key) noexcept;

    Clock& clock_;
    const Send send_;
    const Judge judge_;
    const Report report_;
    std::mutex mutex_ = {};
    std::unordered_map<std::string, Line> lines_ = {};
    std::uint64_t numbers_ = 0;
};

}  // namespace freshet::detail
