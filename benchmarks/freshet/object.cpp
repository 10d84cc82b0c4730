// SPDX-License-Identifier: Apache-2.0
// Puts or gets (`lane=put` or `get`) an object of `size` bytes until `count` MiB have moved.
#include "jetstream.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const std::string body(arguments.size, 'x');
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    const auto store = broker.object_store("bench", {.storage = freshet::js::Storage::memory});
    store.put("object", body);
    const bool put = arguments.lane == "put";
    const auto size = static_cast<long>(arguments.size >> 20);
    long moved = 0;
    bench::say_ready();
    bench::Measurement measurement;
    for (; moved < arguments.count; moved += size) {
        if (put) store.put("object", body);
        else if (store.get("object").size() != body.size()) return 1;
    }
    measurement.report(moved);
}
