// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include <freshet/detail/json/shape.hpp>

#include "describe/json.hpp"

namespace freshet::detail {

inline constexpr std::string_view definitions = "#/definitions/";

/// Makes JSON Schemas (draft-07) of shapes, and collects those of named types.
class Schemas {
public:
    /// Returns the schema of a type: a reference, if the type has a name. Throws Error(Errc::bad_setup) if another type
    /// has the same name and another schema, or if a schema that somebody wrote is not one.
    Json of(const TypeShape& type);
    /// Returns the name of a type in named(); "" for a type without a name.
    static std::string name_of(const TypeShape& type);
    /// Returns a value of the type, made of the examples that its fields have; nothing if some are missing.
    static std::optional<Json> example_of(const TypeShape& type);

    const std::map<std::string, Json>& named() const noexcept { return named_; }
    /// Returns the names of the types that were asked for and of which nobody says what they are.
    const std::set<std::string>& unknown() const noexcept { return unknown_; }

private:
    Json named(const TypeShape& type, Json (Schemas::*make)(const TypeShape& type));
    void add(const std::string& name, Json schema);
    Json object(const TypeShape& type);
    Json names(const TypeShape& type);
    Json written(const TypeShape& type);
    Json nullable(const TypeShape& type);
    Json map(const TypeShape& type);
    Json variant(const TypeShape& type);

    std::map<std::string, Json> named_ = {};
    std::unordered_map<const TypeShape*, std::string> begun_ = {};
    std::set<std::string> unknown_ = {};
};

/// Returns the schema of the token of a subject or the value of a header. `otherwise`, if not null, is its default.
Json text_schema(const TypeShape& type, const FieldFact* otherwise = nullptr);

}  // namespace freshet::detail
