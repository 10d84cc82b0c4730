// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <freshet/js/ordered.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/ordered.hpp"

namespace freshet::detail {

/// Returns the settings as those of any consumer.
js::ConsumerConfig ordered_config(const js::Ordered& options);

/// Reports problems of the settings; `subject` is the subscriber's.
void check_ordered(const js::Ordered& options, const Subject& subject, Binder& binder);

/// Returns the settings of the consumer.
OrderedOptions ordered_options(const js::Ordered& options, const js::ContextOptions& context);

/// Returns a function that declares the lost stream again; an empty one if only the stream's name is known. `link` must
/// outlive it.
std::function<void()> redeclare_lost(Link& link, const js::Ordered& options, const js::ContextOptions& context);

}  // namespace freshet::detail
