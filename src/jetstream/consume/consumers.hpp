// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <freshet/js/consumer_info.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/stream_ref.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// A consumer to be declared.
struct ConsumerSpec {
    std::string stream = {};
    std::string name = {};
    js::Declare declare = js::Declare::create_if_missing;
    Json wanted = {};  ///< the configuration, as consumer_to_json writes it, and what is not in ConsumerConfig
    /// More of it for a new one, which an existing one may have different; null takes a setting away. Called when one
    /// is made.
    std::function<Json()> fresh = {};

    /// `consumer "billing" of stream "ORDERS"`.
    std::string text() const;
};

/// Makes sure that a consumer is there, as `declare` says; the server's answer. Blocks; logs what it changes, and in
/// which settings an existing one differs that is used as it is.
Expected<Json> declare_consumer(const JsApi& api, const ConsumerSpec& spec);

/// All consumers of a stream.
Expected<std::vector<js::ConsumerInfo>> list_consumers(const JsApi& api, const std::string& stream);

/// The API's operation that creates or changes a consumer with this configuration.
std::string create_operation(std::string_view stream, std::string_view name, const Json& config);

/// The stream of a subscriber: declared if it is more than a name. What is known of it then.
Expected<std::optional<js::StreamInfo>> declare_stream_of(const JsApi& api, const js::StreamRef& stream);

/// The time after which a message of a consumer with this configuration is delivered again, at least; 0: never, it
/// wants no acknowledgements.
std::chrono::nanoseconds ack_wait_of(const Json& config);

/// `config` for a new consumer, with what a program relies on that says nothing: explicit acknowledgements.
Json complete_consumer(const js::ConsumerConfig& config);

}  // namespace freshet::detail
