// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/kv/options.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::kv {

/// Makes a subscriber of the changes of a key-value bucket. The subject of the subscriber is a pattern over keys:
///
///     broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags"})
///         .handle([](const kv::Entry<Flag>& entry, Path<"name"> name) { ... });
///
/// The handler gets the entries that exist, then each change, in order. A handler that takes only the value, `const
/// Flag&`, is called for puts only, because a deleted key has no value. Entries are not acknowledged: one whose handler
/// fails is logged and counted, and does not come again.
///
/// The watch goes on after lost connections and restarts of the server, also those that lose the bucket. freshet
/// declares the bucket when the broker starts, and again when the server has lost it.
struct Watch {
    std::string bucket = {};          ///< name of the bucket
    Options options = {};             ///< how the bucket is declared
    bool include_history = false;     ///< delivers every kept entry, not only the latest of each key
    bool ignore_deletes = false;      ///< delivers puts only
    bool meta_only = false;           ///< delivers no values, which costs less
    bool updates_only = false;        ///< delivers only changes from now on
    std::uint64_t from_revision = 0;  ///< begins with this revision; 0: with the latest of each key
    /// Called once, when the handler has got the entries that existed. Also called if there were none.
    std::function<void()> caught_up = {};
    std::size_t workers = 0;   ///< threads that run the handler, see SubscriberOptions::workers
    OrderKey ordered_by = {};  ///< with several workers: keeps the order of entries with the same key
    bool dedicated = false;    ///< runs the handler on a thread of its own, for handlers that block long
    /// What becomes of the broker if the bucket is gone for good. Default: it goes on, and tries on.
    OnLost on_lost = OnLost::go_on;
    About about = {};  ///< what descriptions tell of the subscriber
};

detail::SourceSpec linked_source(Watch watch);
/// Returns the source that Broker::subscriber starts. Called by freshet.
inline detail::SourceSpec make_source(Watch watch) {
    link_the_target_freshet_jetstream();
    return linked_source(std::move(watch));
}

}  // namespace freshet::kv
