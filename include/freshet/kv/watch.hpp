// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <freshet/kv/entry.hpp>
#include <freshet/kv/options.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::kv {

/// A key-value bucket as the source of a subscriber, whose subject is a pattern over keys:
///
///     broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags"})
///         .handle([](const kv::Entry<Flag>& entry, Path<"name"> name) { ... });
///
/// A handler that takes the value alone, `const Flag&`, is called for puts only: a key that was deleted has none.
///
/// The handler gets the entries there are, then each change, in order; it survives lost connections and restarts of the server,
/// also those that lose the bucket. The bucket is declared when the broker starts, and again when it was lost. Nothing is
/// acknowledged: an entry that a handler fails at is logged and counted, and does not come again.
struct Watch {
    std::string bucket = {};
    Options options = {};             ///< how the bucket is declared
    bool include_history = false;     ///< every entry that is kept, not only the latest of each key
    bool ignore_deletes = false;      ///< puts only
    bool meta_only = false;           ///< no values, which costs less
    bool updates_only = false;        ///< only what changes from now on
    std::uint64_t from_revision = 0;  ///< go on with this revision, instead of the latest of each key; 0: do not
    std::function<void()> caught_up =
        {};                    ///< called once, when the entries that there were have been given to the handler
    std::size_t workers = 0;   ///< threads that run the handler, see SubscriberOptions::workers
    OrderKey ordered_by = {};  ///< keeps the order of entries with the same key while workers run in parallel
    bool dedicated = false;    ///< a thread of its own, for a handler that blocks long
};

/// What Broker::subscriber makes of it.
detail::SourceSpec make_source(Watch watch);

}  // namespace freshet::kv
