// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/extract.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/retry.hpp>

#include "api.hpp"

namespace freshet::detail {

/// What is wrong with the settings that sources of JetStream share.
void check_consumer_config(const js::ConsumerConfig& config, Binder& binder);
void check_retry(const js::Retry& retry, Binder& binder);
/// A stream's name, a consumer's; reported if it is no name.
void check_name(std::string_view kind, std::string_view name, Binder& binder);

}  // namespace freshet::detail
