// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/subscriber.hpp>

namespace freshet::detail {

class BrokerCore;

/// What an endpoint takes and answers, each schema complete in itself; empty where nothing is known.
struct EndpointSchemas {
    std::string content_type = {};
    std::string request = {};
    std::string response = {};
    std::string problem = {};  // why there are no schemas, if that is a mistake
};

/// Returns the schemas of an endpoint, as the description of its broker has them.
EndpointSchemas schemas_of(const BrokerCore& broker, const SubscriberSpec& spec);

}  // namespace freshet::detail
