// SPDX-License-Identifier: Apache-2.0
// Another type that others know as a.Clash.
#include <string>

#include <freshet/freshet.hpp>

namespace a {
namespace {
struct Clash {
    std::string y = {};
};
FRESHET_JSON(Clash, y);
}  // namespace
}  // namespace a

void wire_other_clash(freshet::Broker& broker) {
    broker.subscriber<"c">().handle([](const a::Clash&) {});
}
