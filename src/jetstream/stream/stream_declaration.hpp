// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/stream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// What a stream should be.
struct StreamWish {
    js::Stream stream = {};  ///< compared with an existing one, as its `declare` says
    js::Stream fresh = {};   ///< created if there is none
};

/// The settings of `wish` as an existing stream with the configuration `found` should have them. What `wish` leaves
/// out and no value of its own could take away is in it as null: the mirror, the sources, and the description with
/// Declare::reconcile.
Json wanted_settings(const js::Stream& wish, const Json& found);

/// Makes sure that a stream is there, without blocking; logs what it changes. `done` gets the server's answer; it
/// must not throw, and `api` must live until it has returned.
void declare_stream_async(const JsApi& api, StreamWish wish, Answered<Json> done);

}  // namespace freshet::detail
