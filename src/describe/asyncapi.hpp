// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/describe.hpp>

#include "describe/json.hpp"

namespace freshet::detail {

/// Returns a description as an AsyncAPI document.
Json asyncapi_of(const Description& description);

/// Replaces, in a schema, the beginning of each reference that begins with `from`.
void replace_references(Json& schema, std::string_view from, std::string_view to);

inline constexpr std::string_view asyncapi_schemas = "#/components/schemas/";

/// Returns a document as block YAML 1.2. Every string is written as JSON writes it, so that no reader takes one for
/// something else.
std::string yaml_of(const Json& document);

}  // namespace freshet::detail
