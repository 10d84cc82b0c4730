// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <freshet/js/jetstream.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/store/store_names.hpp"

namespace freshet::detail {

/// What a bucket is made of.
struct StoreSpec {
    StoreKind kind = StoreKind::key_value;
    std::string name = {};
    js::Declare declare = js::Declare::create_if_missing;
    js::ContextOptions context = {};
    /// The stream it is. `fresh`: one to be made, with every default of a bucket's; else only what the user set.
    std::function<js::Stream(bool fresh)> stream = {};
};

/// A bucket and the stream behind it: declared by the first operation, and again when the server lost it. Thread-safe.
class StoreBucket {
public:
    /// Throws Error(Errc::bad_setup) for a bad name.
    StoreBucket(Link& link, StoreSpec spec);

    /// The stream as it was when it was declared.
    Expected<std::shared_ptr<const js::StreamInfo>> ready();
    /// Does so now if the broker runs; throws what fails.
    void ready_if_running();

    /// Calls `operation(const js::StreamInfo&)`, which gives an Expected. If the stream was lost it is declared anew, and
    /// `operation` is called once more: nothing that it sent was stored.
    template <class Operation>
    auto with_stream(Operation&& operation) -> decltype(operation(std::declval<const js::StreamInfo&>())) {
        for (bool again = false;; again = true) {
            const auto info = ready();
            if (!info) return std::unexpected{info.error()};
            auto result = operation(**info);
            if (result || again || !is_lost(result.error())) return result;
            forget(*info);
        }
    }

    /// For who does not wait: after an answer that says the stream is lost, the next operation declares it anew.
    void note(const std::shared_ptr<const js::StreamInfo>& info, const Error& error) {
        if (is_lost(error)) forget(info);
    }

    /// Why a read failed: servers before 2.10 are silent when they are asked for a message of a missing stream directly.
    Error why(const Error& error) const;

    /// Asks for the settings and the state, now.
    Expected<js::StreamInfo> info();
    Expected<void> remove();

    const std::string& name() const noexcept { return spec_.name; }
    /// `bucket "flags"`.
    const std::string& what() const noexcept { return what_; }
    Link& link() const noexcept { return api().link(); }
    const JsApi& api() const noexcept { return *jetstream_.api(); }
    const js::JetStream& jetstream() const noexcept { return jetstream_; }
    js::StreamHandle stream() const { return jetstream_.stream(stream_name()); }
    std::string stream_name() const;
    bool declares() const noexcept { return spec_.declare != js::Declare::never; }
    /// Declares the stream anew, whatever was known of it.
    Expected<void> declare_again();

private:
    static bool is_lost(const Error& error) noexcept;
    void forget(const std::shared_ptr<const js::StreamInfo>& info);
    Expected<js::StreamInfo> declare() const;
    Expected<js::StreamInfo> compare() const;
    Error explain(const Error& error) const;

    StoreSpec spec_;
    std::string what_;
    js::JetStream jetstream_;
    std::mutex mutex_ = {};
    std::shared_ptr<const js::StreamInfo> info_ = {};
};

/// The names of the buckets of a kind.
Expected<std::vector<std::string>> store_names(Link& link, StoreKind kind, const js::ContextOptions& context);

}  // namespace freshet::detail
