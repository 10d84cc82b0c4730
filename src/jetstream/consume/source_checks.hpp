// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <freshet/extract.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/subscriber.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Reports problems of settings that sources of JetStream share; `subject` is the subscriber's.
void check_consumer_config(const js::ConsumerConfig& config, const Subject& subject, Binder& binder);
void check_retry(const js::Retry& retry, Binder& binder);
enum class Lifetime : std::uint8_t { durable, ephemeral };

/// Returns the lifetime that options such as js::Pull say.
template <class Options>
Lifetime lifetime_of(const Options& options) noexcept {
    return options.ephemeral ? Lifetime::ephemeral : Lifetime::durable;
}

/// Reports a consumer that has a name and is ephemeral, or neither; `who` is `js::Pull`.
void check_lifetime(std::string_view who, std::string_view durable, Lifetime lifetime, const js::ConsumerConfig& config,
                    Binder& binder);
/// Reports a name of a stream, consumer or queue that is not valid.
void check_name(std::string_view kind, std::string_view name, Binder& binder);

/// Returns how the handler of a consumer's messages runs. The messages that wait for it are limited by what the
/// consumer sends, not by these options.
SubscriberOptions run_options(std::size_t workers, const OrderKey& ordered_by, const Batch& batch, const About& about);

}  // namespace freshet::detail
