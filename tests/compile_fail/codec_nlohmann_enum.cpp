// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type cannot be a value in JSON: add FRESHET_JSON(Type, fields...) in its namespace, include <freshet/nlohmann.hpp>
#include <nlohmann/json.hpp>

#include <freshet/codec.hpp>

enum class Color { red, green };
NLOHMANN_JSON_SERIALIZE_ENUM(Color, {{Color::red, "red"}, {Color::green, "green"}})

struct Wall {
    Color color = Color::red;
};
FRESHET_JSON(Wall, color);

Wall read(const freshet::Message& message) { return freshet::decode<Wall>(message); }
