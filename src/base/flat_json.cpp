// SPDX-License-Identifier: Apache-2.0
#include "base/flat_json.hpp"

#include <nlohmann/json.hpp>

namespace freshet::detail {
namespace {

FlatJson::Value value_of(const nlohmann::json& json) {
    using Kind = nlohmann::json::value_t;
    switch (json.type()) {
        case Kind::null: return nullptr;
        case Kind::boolean: return *json.get_ptr<const bool*>();
        case Kind::number_unsigned: return *json.get_ptr<const std::uint64_t*>();
        case Kind::string: return *json.get_ptr<const std::string*>();
        default: return FlatJson::Other{.is_empty = json.empty()};
    }
}

}  // namespace

FlatJson FlatJson::read(std::string_view text) {
    FlatJson result;
    try {
        const auto json = nlohmann::json::parse(text);
        const auto* const members = json.get_ptr<const nlohmann::json::object_t*>();
        result.is_object_ = members != nullptr;
        if (members == nullptr) return result;
        for (const auto& [name, value] : *members) result.members_.emplace(name, value_of(value));
    } catch (const nlohmann::json::parse_error& error) { result.bad_byte_ = error.byte; }
    return result;
}

const FlatJson::Value* FlatJson::find(std::string_view name) const {
    const auto found = members_.find(name);
    return found != members_.end() ? &found->second : nullptr;
}

}  // namespace freshet::detail
