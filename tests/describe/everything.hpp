// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/service.hpp>

// A service that uses every feature that descriptions tell of.
namespace everything {

enum class Status { open, in_progress };
FRESHET_ENUM(Status, open, (in_progress, "in-progress"));

struct Line {
    std::string sku = {};
    std::uint16_t quantity = 1;
};
FRESHET_JSON((Line, about("A line of an order")), (sku, about("the shop's own number"), example("a1")),
             (quantity, or_default, example(2)));

struct Order {
    std::string id = {};
    std::vector<Line> lines = {};
    std::optional<std::string> note = {};
    std::optional<Line> gift = {};
    Status status = Status::open;
    std::map<std::string, double> prices = {};
    std::map<int, bool> flags = {};
    std::pair<int, std::string> pair = {};
    std::array<std::int8_t, 2> two = {};
    std::chrono::milliseconds wait{};
    std::chrono::system_clock::time_point when{};
    std::variant<std::monostate, bool, int, std::string> any = {};
    std::unique_ptr<Line> link = {};
    std::int64_t big = 0;
};
FRESHET_JSON((Order, about("What somebody wants")), (id, example("o1")), lines, note, (gift, about("For free")), status,
             (prices, or_default), (flags, or_default), (pair, or_default), (two, or_default), (wait, or_default),
             (when, or_default), (any, or_default), link, (big, or_default));

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
};
FRESHET_JSON(Deleted, id);
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, "type", (Created, "created"), (Deleted, "deleted"));

struct Node {
    std::string name = {};
    std::vector<Node> children = {};
};
FRESHET_JSON(Node, name, (children, or_default));

struct Money {
    long cents = 0;
};
struct Proto {
    int x = 0;
};
struct Problem {
    std::string why = {};
};
FRESHET_JSON(Problem, why);
struct Tenant {};

}  // namespace everything

template <>
struct freshet::Codec<everything::Money> {
    static constexpr std::string_view content_type = "text/plain";
    static void encode(const everything::Money& value, Buffer& out) { out.append(std::to_string(value.cents)); }
    static Expected<void> decode(Bytes, everything::Money&) { return {}; }
    static std::string schema() { return R"({"type":"string","pattern":"^[0-9]+$"})"; }
};
template <>
struct freshet::Codec<everything::Proto> {
    static constexpr std::string_view content_type = "application/x-protobuf";
    static constexpr std::string_view schema_format = "application/vnd.google.protobuf;version=3";
    static void encode(const everything::Proto&, Buffer&) {}
    static Expected<void> decode(Bytes, everything::Proto&) { return {}; }
    static std::string schema() { return "syntax = \"proto3\"; message Proto { int32 x = 1; }"; }
};
template <>
struct freshet::Extractor<everything::Tenant> {
    static Expected<everything::Tenant> extract(Context&) { return everything::Tenant{}; }
    static void describe(Describer& describer) { describer.header<std::string>("tenant"); }
};

namespace everything {

inline void wire(freshet::Broker& broker) {
    using namespace freshet;
    using namespace std::chrono_literals;
    broker.on_error<std::exception>([](const std::exception& e) { return Problem{e.what()}; });
    broker
        .subscriber<"orders.{region}.{status}">(
            {.queue = "billing",
             .about = {.title = "New orders", .text = "Each *once*", .tags = {"orders"}, .deprecated = true}})
        .publish_to<"invoices.{region}">()
        .handle([](const Order&, Path<"region">, Path<"status", Status>, Header<"pages", std::optional<int>>,
                   Tenant) -> std::optional<Line> { return std::nullopt; });
    broker.subscriber<"orders.*.>">().handle([](const Message&) {});
    broker.subscriber<"events">()
        .when(header_is("type", "event"), [](const Event&) {})
        .when(header_is("type", "tree"), [](const Node&) { return Response<>{}; })
        .handle([](std::string_view) {});
    broker.subscriber<"money.{id}">().handle([](const Money&, Path<"id", unsigned>) { return Proto{}; });
    const js::Stream stream{.name = "JOBS", .subjects = {"jobs.>"}, .max_age = 24h};
    broker
        .subscriber<"jobs.{id}">(js::Pull{.stream = stream,
                                          .durable = "worker",
                                          .retry = {.max_attempts = 3, .backoff = {1s, 5s}, .dead_letter = "dead.jobs"},
                                          .about = {.title = "Jobs"}})
        .publish_to<"done.{id}">()
        .handle([](const Node& node) { return node; });
    broker
        .subscriber(js::Pull{.stream = "JOBS",
                             .durable = "both",
                             .consumer = {.filter_subjects = {"jobs.a", "jobs.b"}},
                             .batch = {.size = 10}})
        .handle([](std::span<const Order>) {});
    broker.subscriber<"jobs.>">(js::Push{.stream = "JOBS", .durable = "push", .queue = "all"}).handle([](const Node&) {
    });
    broker.subscriber<"jobs.x.>">(js::Ordered{.stream = "JOBS"}).handle([] {});
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags", .options = {.history = 3}})
        .handle([](const kv::Entry<Line>&, Path<"name">) {});
    broker.subscriber(obj::Watch{.bucket = "files"}).handle([](const obj::Info&) {});
    broker.publisher<Order, "made.{region}">({}, {.title = "Orders made here"});
    broker.client<Line(const Order&)>("lines.make");
    broker.client<void()>("ping");
    broker.kv<Problem>("problems");
    broker.object_store("files");
    Router router{"shop.{tenant}."};
    router.about({.tags = {"shop"}});
    router.subscriber<"open">().handle([](const std::vector<Line>&, Path<"tenant">) { return 7; });
    broker.include(router);
    auto service = broker.service<"everything", "1.0.0-rc.1">(
        {.about = {.title = "Everything", .text = "Once", .tags = {"all"}}, .metadata = {{"team", "a"}}});
    service.endpoint<"calls.{id}">({.metadata = {{"cost", "low"}}}).handle([](const Line& line, Path<"id">) {
        return line;
    });
}

}  // namespace everything
