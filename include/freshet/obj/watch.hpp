// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <freshet/obj/info.hpp>
#include <freshet/obj/options.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::obj {

/// An object store as the source of a subscriber:
///
///     broker.subscriber(obj::Watch{.bucket = "files"}).handle([](const obj::Info& info) { ... });
///
/// The handler gets the descriptions of the objects there are, then of each that is put, changed or deleted. A subscriber's subject is
/// a pattern over names, taken as tokens between dots: `subscriber<"reports.{year}.pdf">(obj::Watch{...})`. It survives
/// lost connections and restarts of the server, also those that lose the bucket, which is declared when the broker
/// starts, and again when it was lost. Nothing is acknowledged.
struct Watch {
    std::string bucket = {};
    Options options = {};  ///< how the bucket is declared
    bool ignore_deletes = false;
    bool updates_only = false;             ///< only what changes from now on
    std::function<void()> caught_up = {};  ///< called once, when what there was has been given to the handler
    std::size_t workers = 0;               ///< threads that run the handler, see SubscriberOptions::workers
    OrderKey ordered_by = {};              ///< keeps the order of names with the same key while workers run in parallel
    bool dedicated = false;                ///< a thread of its own, for a handler that blocks long
};

/// What Broker::subscriber makes of it.
detail::SourceSpec make_source(Watch watch);

}  // namespace freshet::obj
