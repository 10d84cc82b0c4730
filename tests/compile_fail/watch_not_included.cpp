// SPDX-License-Identifier: Apache-2.0
// expect: include_freshet_jetstream_hpp
// expect-clang: incomplete type 'freshet::kv::Watch'
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<">">(freshet::kv::Watch{.bucket = "flags"}).handle([](std::string_view) {});
}
