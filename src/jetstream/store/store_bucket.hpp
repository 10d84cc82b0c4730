// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <freshet/js/jetstream.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/api/election.hpp"
#include "jetstream/store/store_names.hpp"
#include "link/store_counts.hpp"

namespace freshet::detail {

/// Describes a bucket: its kind, its name, its stream.
struct StoreSpec {
    StoreKind kind = StoreKind::key_value;
    std::string name = {};
    js::Declare declare = js::Declare::create_if_missing;
    js::ContextOptions context = {};
    /// Returns the stream of the bucket: with `fresh`, a new one with the defaults of a bucket; else only the user's
    /// settings.
    std::function<js::Stream(bool fresh)> stream = {};
};

/// A bucket and the stream behind it, which is declared by the first operation, and again when the server has lost it.
/// Thread-safe; holds no lock while it asks the server.
class StoreBucket {
public:
    using Ready = Expected<std::shared_ptr<const js::StreamInfo>>;

    /// Throws Error(Errc::bad_setup) for an invalid name.
    StoreBucket(Link& link, StoreSpec spec);

    /// Declares the stream if that was not done, and returns it as it was then. May block; fails then if may_wait() is
    /// false.
    Ready ready();
    /// Returns the stream as it was when it was declared, or null: then ask when_ready().
    std::shared_ptr<const js::StreamInfo> known() const {
        const std::lock_guard lock{known_->mutex};
        return known_->declaring ? nullptr : known_->info;
    }
    /// Calls `then` with the result of ready(): at once if it is known, else on the thread that brings the answer, in
    /// the order of these calls. Does not block. Logs exceptions of `then`.
    void when_ready(std::move_only_function<void(const Ready&)> then);
    /// Declares the stream now if the broker runs. Throws Error.
    void ready_if_running();

    /// Why an operation that nobody has answered, and that may have been carried out, may be carried out again.
    enum class Repeat : std::uint8_t {
        harmless,  ///< it reads, or comes to the same however often it is carried out
        by_id,     ///< the server knows it by its id, if the stream remembers ids: see takes_ids()
    };

    /// Calls `operation(const js::StreamInfo&)`, which returns an Expected. If the server has lost the stream, declares
    /// it again and calls `operation` once more, because nothing that it sent was stored. While a cluster elects a
    /// leader it calls `operation` again for as long as an election takes.
    template <class Operation>
    auto with_stream(Repeat repeat, Operation&& operation)
        -> decltype(operation(std::declval<const js::StreamInfo&>())) {
        for (Election election{link()};;) {
            const auto info = ready();
            using Result = decltype(operation(**info));
            auto result = info ? operation(**info) : Result{std::unexpected{info.error()}};
            if (result || !may_repeat(election, info, result.error(), repeat)) return result;
        }
    }

    /// Begins to count an operation.
    StoreTimer time(StoreOperation operation) const { return {counts_, link().shared_clock(), operation}; }

    /// Notes an answer of an asynchronous operation. If it says that the stream is lost, the next operation declares it
    /// again.
    void note(const std::shared_ptr<const js::StreamInfo>& info, const Error& error) {
        if (is_lost(error)) forget(info);
    }

    /// Returns whether a cluster keeps the stream, which elects a leader when it loses one.
    static bool in_cluster(const js::StreamInfo& info) noexcept { return info.cluster && !info.cluster->name.empty(); }
    /// Returns whether a cluster kept the stream when it was last found, also while nobody answers for it.
    bool clustered() const {
        const std::lock_guard lock{known_->mutex};
        return known_->clustered;
    }
    /// Returns whether a declaration that failed with `error` may succeed in a moment: the leader of all streams, who
    /// knows where this one is, may be elected, too.
    static bool may_be_electing(const Error& error) noexcept;
    /// Returns whether writes get an id, so that they can be repeated: in a cluster, if the stream remembers an id for
    /// longer than a write is repeated.
    bool takes_ids(const js::StreamInfo& info) const noexcept;

    /// Returns why a read failed. Servers before 2.10 do not answer a direct read of a missing stream, so this asks for
    /// the stream.
    Error why(const Error& error) const;

    /// Asks the server for settings and state.
    Expected<js::StreamInfo> info();
    Expected<void> remove();

    const std::string& name() const noexcept { return spec_.name; }
    /// Returns the name for error messages: `bucket "flags"`.
    const std::string& what() const noexcept { return what_; }
    Link& link() const noexcept { return api().link(); }
    const JsApi& api() const noexcept { return *jetstream_.api(); }
    const js::JetStream& jetstream() const noexcept { return jetstream_; }
    js::StreamHandle stream() const { return jetstream_.stream(stream_name()); }
    std::string stream_name() const;
    bool declares() const noexcept { return spec_.declare != js::Declare::never; }
    /// Declares the stream again, whatever is known of it.
    Expected<void> declare_again();

private:
    using Then = std::move_only_function<void(const Ready&)>;

    /// What is known of the stream, shared with the declaration under way, which may outlive the bucket.
    struct Known {
        std::mutex mutex = {};
        std::shared_ptr<const js::StreamInfo> info = {};
        bool declaring = false;  // until everybody who waits was told
        bool clustered = false;
        std::vector<Then> waiting = {};
    };

    static bool is_lost(const Error& error) noexcept;
    static void settle(Known& known, Link& link, const Ready& ready) noexcept;
    /// Whether to call an operation again that failed with `error`, after a pause.
    bool may_repeat(Election& election, const Ready& info, const Error& error, Repeat repeat);
    void forget(const std::shared_ptr<const js::StreamInfo>& info);
    void declare(Answered<Json> done) const;
    void declare_for_all();
    static Error explain(const std::string& what, const Error& error);

    StoreSpec spec_;
    std::string what_;
    js::JetStream jetstream_;
    std::shared_ptr<StoreCounts> counts_;
    std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

/// Returns the names of the buckets of a kind. Blocks.
Expected<std::vector<std::string>> store_names(Link& link, StoreKind kind, const js::ContextOptions& context);

}  // namespace freshet::detail
