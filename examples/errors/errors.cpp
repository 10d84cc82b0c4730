// SPDX-License-Identifier: Apache-2.0
// Shows what a caller sees when a call fails: the condition to act on, the code of the service, and a text for people.
// Service and caller are one program here; nothing changes when they are two.
//
//     NATS_URL=nats://localhost:4222 ./errors
#include <stdexcept>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

using namespace std::chrono_literals;
using freshet::Borrowed, freshet::Errc, freshet::Expected, freshet::Header, freshet::Path, freshet::RemoteError;

struct Order {
    std::string id;
    double amount{};
};
FRESHET_JSON(Order, id, amount);

void declare_handlers(freshet::Broker& broker) {
    broker.subscriber<"throws.remote">().handle([]() { throw RemoteError{404, "no such order"}; });
    broker.subscriber<"throws.exception">().handle([]() { throw std::runtime_error{"the disk is full"}; });
    broker.subscriber<"throws.int">().handle([]() { throw 42; });
    broker.subscriber<"returns.error">().handle([]() -> Expected<Order> {
        return freshet::failure(Errc::not_found, "no order of that id");
    });
    broker.subscriber<"returns.nothing">().handle([]() -> std::optional<Order> { return std::nullopt; });
    broker.subscriber<"takes.order">().handle([](Order order) { return order; });
    broker.subscriber<"takes.path.{id}">().handle([](Path<"id", int>) { return Borrowed{"fine"}; });
    broker.subscriber<"takes.header">().handle([](Header<"user">) { return Borrowed{"fine"}; });
    broker.subscriber<"answers.text">().handle([]() { return Borrowed{"this is not JSON"}; });
}

template <class T>
void show(std::string_view what, const Expected<T>& result) {
    if (result) return fmt::print("{}: no error\n", what);
    const freshet::Error& error = result.error();
    const auto condition = error.code().default_error_condition().message();
    fmt::print("{}: {}, code {}: {}\n", what, condition, error.remote_code(), error.what());
}

int main() try {
    freshet::Broker broker;
    declare_handlers(broker);
    broker.start();
    const freshet::RequestOptions quick{.timeout = 100ms};

    show("nobody listens", broker.try_request<Order>("nobody.home", ""));
    show("no answer", broker.try_request<Order>("returns.nothing", "", quick));
    show("throws RemoteError", broker.try_request<Order>("throws.remote", ""));
    show("throws std::exception", broker.try_request<Order>("throws.exception", ""));
    show("throws something else", broker.try_request<Order>("throws.int", ""));
    show("returns an error", broker.try_request<Order>("returns.error", ""));
    show("body does not decode", broker.try_request<Order>("takes.order", R"({"id": "a1", "amount": "much"})"));
    show("path does not parse", broker.try_request<std::string>("takes.path.seven", ""));
    show("header is missing", broker.try_request<std::string>("takes.header", ""));
    show("answer does not decode", broker.try_request<Order>("answers.text", ""));
    show("bad subject", broker.try_publish("orders..created", Order{}));
    show("payload too large", broker.try_publish("orders.created", std::string(2 << 20, 'x')));
    broker.stop();
    show("broker is stopped", broker.try_publish("orders.created", Order{}));
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "errors: {}\n", error.what());
    return 1;
}
