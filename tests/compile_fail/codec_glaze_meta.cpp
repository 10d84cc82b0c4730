// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a glz::meta says how this type travels: include <freshet/glaze.hpp>
#include <glaze/glaze.hpp>

#include <freshet/codec.hpp>

enum class Color { red, green };
template <>
struct glz::meta<Color> {
    static constexpr auto value = glz::enumerate("rot", Color::red, "gruen", Color::green);
};

struct Car {
    Color color = {};
};

Car read(const freshet::Message& message) { return freshet::decode<Car>(message); }
