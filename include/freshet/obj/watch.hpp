// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/obj/info.hpp>
#include <freshet/obj/options.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::obj {

/// Makes a subscriber of the changes of an object store:
///
///     broker.subscriber(obj::Watch{.bucket = "files"}).handle([](const obj::Info& info) { ... });
///
/// The handler gets the descriptions of the objects that exist, then of each that is put, changed or deleted. The
/// subject of the subscriber, if any, is a pattern over names, with dots between the tokens:
/// `subscriber<"reports.{year}.pdf">(obj::Watch{...})`. Nothing is acknowledged. The watch goes on after lost
/// connections and restarts of the server, also those that lose the bucket. freshet declares the bucket when the broker
/// starts, and again when the server has lost it.
struct Watch {
    std::string bucket = {};               ///< name of the bucket
    Options options = {};                  ///< how the bucket is declared
    bool ignore_deletes = false;           ///< reports no deletions
    bool updates_only = false;             ///< reports only changes from now on
    std::function<void()> caught_up = {};  ///< called once, when the handler has got the objects that existed
    std::size_t workers = 0;               ///< threads that run the handler, see SubscriberOptions::workers
    OrderKey ordered_by = {};              ///< with several workers: keeps the order of names with the same key
    bool dedicated = false;                ///< runs the handler on a thread of its own, for handlers that block long
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

}  // namespace freshet::obj
