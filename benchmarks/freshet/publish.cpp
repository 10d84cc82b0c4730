// SPDX-License-Identifier: Apache-2.0
// Publishes `count` bodies and waits until the server has them. In the lanes of JSON each is encoded anew.
#include "broker.hpp"

using namespace std::chrono_literals;

namespace {

template <class T>
void publish(freshet::Broker& broker, const bench::Arguments& arguments, const T& value) {
    freshet::PublishOptions options;
    for (int i = 0; i < arguments.headers; ++i) options.headers.add("X-Header-" + std::to_string(i), "a value of it");
    bench::measure(broker, arguments);
    broker.start();
    bench::say_ready();
    bench::Measurement measurement;
    for (long i = 0; i < arguments.count; ++i) bench::require(broker.try_publish("bench.x", value, options));
    broker.ping(60s);
    measurement.report(arguments.count);
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    freshet::Broker broker{bench::options(arguments)};
    if (arguments.lane == "glaze") publish(broker, arguments, bench::make_order<bench::Order, bench::Line>());
    else if (arguments.lane == "nlohmann")
        publish(broker, arguments, bench::make_order<bench::DeclaredOrder, bench::DeclaredLine>());
    else publish(broker, arguments, bench::body_of(arguments));
}
