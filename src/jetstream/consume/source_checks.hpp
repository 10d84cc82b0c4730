// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/extract.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/subscriber.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// What is wrong with the settings that sources of JetStream share; `subject` is the subscriber's.
void check_consumer_config(const js::ConsumerConfig& config, const Subject& subject, Binder& binder);
void check_retry(const js::Retry& retry, Binder& binder);
/// That it is either a durable or an ephemeral consumer, and which; `who` is `js::Pull`.
void check_lifetime(std::string_view who, std::string_view durable, bool ephemeral, const js::ConsumerConfig& config,
                    Binder& binder);
/// A stream's name, a consumer's; reported if it is no name.
void check_name(std::string_view kind, std::string_view name, Binder& binder);

/// How the handler of a consumer's messages runs. What waits for it is bounded by what the consumer sends.
SubscriberOptions run_options(std::size_t workers, const OrderKey& ordered_by, const Batch& batch);

}  // namespace freshet::detail
