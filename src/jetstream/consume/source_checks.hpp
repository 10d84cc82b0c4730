// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/extract.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/subscriber.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Reports problems of settings that sources of JetStream share; `subject` is the subscriber's.
void check_consumer_config(const js::ConsumerConfig& config, const Subject& subject, Binder& binder);
void check_retry(const js::Retry& retry, Binder& binder);
/// Reports a consumer that is not either durable or ephemeral; `who` is `js::Pull`.
void check_lifetime(std::string_view who, std::string_view durable, bool ephemeral, const js::ConsumerConfig& config,
                    Binder& binder);
/// Reports a name of a stream, consumer or queue that is not valid.
void check_name(std::string_view kind, std::string_view name, Binder& binder);

/// Returns how the handler of a consumer's messages runs. The messages that wait for it are limited by what the
/// consumer sends, not by these options.
SubscriberOptions run_options(std::size_t workers, const OrderKey& ordered_by, const Batch& batch);

}  // namespace freshet::detail
