// SPDX-License-Identifier: Apache-2.0
// expect: deleted
#include <string_view>

#include <freshet/broker.hpp>

std::string_view first(freshet::MessageStream& stream) { return freshet::decode<std::string_view>(*stream.next()); }
