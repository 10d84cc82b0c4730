// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type has no codec: add FRESHET_JSON(Type, fields...) in its namespace, link freshet::glaze, include <freshet/nlohmann.hpp> or specialise freshet::Codec<T>. See docs/codecs.md
#include <freshet/codec.hpp>

struct Order {
    int id = 0;
};

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
