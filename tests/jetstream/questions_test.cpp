// SPDX-License-Identifier: Apache-2.0
// Everything that holds a message answers the same questions by the same names.
#include <chrono>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;

namespace {

/// The one list of questions.
template <class M>
concept AnswersQuestions = requires(const M& asked, std::string_view name) {
    { asked.subject() } -> std::same_as<std::string_view>;
    { asked.reply_to() } -> std::same_as<std::string_view>;
    { asked.payload() } -> std::same_as<Bytes>;
    { asked.text() } -> std::same_as<std::string_view>;
    { asked.template decode<int>() } -> std::same_as<int>;
    { asked.template try_decode<int>() } -> std::same_as<Expected<int>>;
    { asked.header(name) } -> std::same_as<std::optional<std::string_view>>;
    { asked.header_values(name) } -> std::same_as<std::vector<std::string_view>>;
    { asked.headers() } -> std::same_as<Headers>;
    { asked.metadata() } -> std::same_as<std::optional<Metadata>>;
};
template <class M>
concept HoldsMessage = AnswersQuestions<M> && requires(const M& holder) {
    { holder.message() } -> std::same_as<const Message&>;
};

static_assert(AnswersQuestions<Message>);
static_assert(HoldsMessage<Context>);
static_assert(HoldsMessage<Item>);
static_assert(HoldsMessage<js::Delivery>);
static_assert(HoldsMessage<js::StoredMessage>);
static_assert(HoldsMessage<js::DeadLetter>);

template <class M>
std::string answers(const M& asked) {
    const auto metadata = asked.metadata();
    return std::string{asked.subject()} + ' ' + std::string{asked.text()} + ' ' +
           std::to_string(asked.template decode<int>()) + ' ' + std::string{asked.header("k").value_or("-")} + ' ' +
           std::to_string(asked.header_values("k").size()) + ' ' + std::string{asked.headers().get("k").value_or("-")} +
           ' ' + std::to_string(asked.payload().size()) + ' ' +
           (metadata ? std::string{metadata->stream} + std::to_string(metadata->stream_sequence) : "-");
}

}  // namespace

TEST_CASE("a message, its context, a delivery, an item and a stored message give the same answers") {
    const js::Stream numbers{.name = "NUMBERS", .subjects = {"numbers.>"}, .allow_direct = true};
    std::vector<std::string> seen;
    Broker broker;
    broker.subscriber<"numbers.>">(js::Pull{.stream = numbers, .durable = "one", .retry = {.max_attempts = 1}})
        .handle([&](const Message& message, Context& context) {
            seen.push_back(answers(message));
            seen.push_back(answers(context));
        });
    broker
        .subscriber<"numbers.>">(js::Pull{
            .stream = numbers, .durable = "many", .retry = {.max_attempts = 1}, .batch = {.size = 1}})
        .handle([&](std::span<const int>, Context& context) { seen.push_back(answers(context.items()[0])); });
    testing::TestBroker test{broker};
    auto jetstream = broker.jetstream();
    jetstream.publish("numbers.a", 42, {.headers = {{"k", "v"}}});
    test.run();
    seen.push_back(answers(jetstream.stream("NUMBERS").message(1)));
    seen.push_back(answers(jetstream.stream("NUMBERS").message(1, js::Read::direct)));
    const auto consumer = jetstream.consumer("NUMBERS", "taker");
    consumer.declare({});
    const auto delivery = consumer.next(std::chrono::milliseconds{0});
    REQUIRE(delivery);
    seen.push_back(answers(*delivery));
    CHECK(seen == std::vector<std::string>(6, "numbers.a 42 42 v 1 v 2 NUMBERS1"));
}

TEST_CASE("messages() says that the stream needs allow_direct, and what to do without") {
    Broker broker;
    testing::TestBroker test{broker};
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "PLAIN", .subjects = {"plain"}});
    jetstream.publish("plain", 1);
    const auto plain = jetstream.stream("PLAIN");
    for (const auto& error : {plain.try_messages().error(), plain.try_last_messages({"plain"}).error(),
                              plain.try_message(1, js::Read::direct).error()}) {
        const std::string text = error.what();
        INFO(text);
        CHECK(error == Errc::no_responders);
        CHECK(text.find("stream \"PLAIN\"") != std::string::npos);
        CHECK(text.find(".allow_direct = true") != std::string::npos);
        CHECK(text.find("next_message") != std::string::npos);
    }
    CHECK(plain.next_message(">", 1).text() == "1");
    CHECK(jetstream.stream("NONE").try_messages().error() == Errc::stream_not_found);
}
