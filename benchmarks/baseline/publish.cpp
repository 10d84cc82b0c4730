// SPDX-License-Identifier: Apache-2.0
// Publishes `count` bodies, to each subject in turn, and waits until the server has them. In the lanes of JSON each is
// encoded anew.
#include "cnats.hpp"
#include "json.hpp"

namespace {

/// `next` gives the body of each message.
template <class Next>
void publish(natsConnection* connection, const bench::Arguments& arguments, Next next) {
    const auto subjects = bench::subjects_of(arguments);
    bench::say_ready();
    bench::Measurement measurement;
    for (long i = 0, subject = 0; i < arguments.count; ++i) {
        const std::string& body = next();
        bench::require(natsConnection_Publish(connection, subjects[static_cast<std::size_t>(subject)].c_str(),
                                              body.data(), static_cast<int>(body.size())),
                       "publish");
        if (++subject == arguments.subjects) subject = 0;
    }
    bench::require(natsConnection_FlushTimeout(connection, 60'000), "flush");
    measurement.report(arguments.count);
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    auto* const connection = bench::connect(arguments);
    auto body = bench::body_of(arguments);
    const auto reflected = bench::make_order<bench::Order, bench::Line>();
    const auto declared = bench::make_order<bench::DeclaredOrder, bench::DeclaredLine>();
    if (arguments.lane == "glaze") {
        publish(connection, arguments, [&]() -> const std::string& {
            if (glz::write<bench::GlazeOptions{}>(reflected, body)) std::abort();
            return body;
        });
    } else if (arguments.lane == "nlohmann") {
        publish(connection, arguments, [&]() -> const std::string& { return body = nlohmann::json(declared).dump(); });
    } else {
        publish(connection, arguments, [&]() -> const std::string& { return body; });
    }
    natsConnection_Destroy(connection);
}
