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
    Json wanted = {};  ///< the configuration: consumer_to_json's, and settings that are not in ConsumerConfig
    /// Returns further settings of a new consumer, called when one is made; null removes a setting. An existing
    /// consumer may have other values.
    std::function<Json()> fresh = {};

    /// Returns a text such as `consumer "billing" of stream "ORDERS"`.
    std::string text() const;
};

/// Makes sure that a consumer exists, as `declare` says, and returns the server's answer. Blocks. Logs the settings
/// that it changes, and those that differ in a consumer that it leaves as it is.
Expected<Json> declare_consumer(const JsApi& api, const ConsumerSpec& spec);

/// Returns all consumers of a stream. Blocks.
Expected<std::vector<js::ConsumerInfo>> list_consumers(const JsApi& api, const std::string& stream);

/// Returns the API's operation that creates or changes a consumer with this configuration.
std::string create_operation(std::string_view stream, std::string_view name, const Json& config);

/// Declares the stream of a subscriber if it is more than a name, and returns its information then. Blocks.
Expected<std::optional<js::StreamInfo>> declare_stream_of(const JsApi& api, const js::StreamRef& stream);

/// Returns the shortest time after which a consumer with this configuration delivers a message again; 0: never, since
/// it wants no acknowledgements.
std::chrono::nanoseconds ack_wait_of(const Json& config);

/// Returns `config` for a new consumer. Without `acks` it gets explicit acknowledgements, on which programs rely; with
/// Acks::flow_control the settings that servers require for it.
Json consumer_to_create(const js::ConsumerConfig& config);

}  // namespace freshet::detail
