// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/describe.hpp>

namespace freshet {

/// Returns a description as an AsyncAPI 3.1 document in JSON, with sorted keys. What AsyncAPI has no place for is in
/// extensions: `x-freshet-source`, `x-freshet-retry`... See docs/describe.md.
std::string asyncapi_json(const Description& description);

/// Returns a description as an AsyncAPI 3.1 document in YAML 1.2, with sorted keys.
std::string asyncapi_yaml(const Description& description);

/// Returns the description of which asyncapi_json() has made `json`. Throws Error(Errc::bad_payload) if it is not such
/// a document.
Description description_from_asyncapi(std::string_view json);

}  // namespace freshet
