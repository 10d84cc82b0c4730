// SPDX-License-Identifier: Apache-2.0
// A service that others find by its name: with ./find_services, with `nats micro list`, or from any other language.
//
//     NATS_URL=nats://localhost:4222 ./calc_service
#include <stdexcept>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>

struct Numbers {
    double a{};
    double b{};
};
struct Result {
    double value{};
};
FRESHET_JSON((Numbers, about("What to calculate with")), (a, example(6)), (b, example(3)));
FRESHET_JSON(Result, value);

Result add(const Numbers& numbers) { return {numbers.a + numbers.b}; }

Result divide(const Numbers& numbers) {
    if (numbers.b == 0) throw std::domain_error{"cannot divide by 0"};
    return {numbers.a / numbers.b};
}

void wire(freshet::Broker& broker) {
    // The compiler checks the name and the version.
    auto calc = broker.service<"calc", "1.2.0">({.about = {.text = "Adds and divides numbers"},
                                                 .metadata = {{"team", "billing"}}});
    calc.on_error<std::domain_error>(422);  // what the caller gets instead of "internal error"

    // Endpoints are subscribers. Of all instances of the service, one gets each request.
    auto numbers = calc.group<"calc.">();
    numbers.endpoint<"add">().handle(add);
    numbers.endpoint<"divide">({.about = {.text = "Refuses to divide by 0 with the code 422"}}).handle(divide);

    // Without a queue group, every instance gets the request.
    auto admin = calc.group<"calc.admin.">({.queue = ""});
    admin.endpoint<"reset">().handle([calc]() mutable {
        calc.reset();
        return freshet::Response<>{};
    });
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
