// SPDX-License-Identifier: Apache-2.0
// Writes, into the directory argv[1], the AsyncAPI documents of all examples and of a service that uses every feature,
// and bodies with their schemas: those that freshet has written, and those that it has read. See check_documents.mjs.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include <freshet/asyncapi.hpp>

#include "everything.hpp"
#include "example_services.hpp"

namespace {

using Random = std::mt19937;

int number(Random& random, int max) { return std::uniform_int_distribution{0, max}(random); }

std::string text(Random& random) {
    static const std::string some[] = {"", "a", "Grüße", "quote\"", "line\nbreak", "\x7f", "2026-01-01"};
    return some[number(random, 6)];
}

everything::Line line(Random& random) { return {text(random), static_cast<std::uint16_t>(number(random, 65535))}; }

everything::Order order(Random& random) {
    using namespace std::chrono;
    everything::Order one;
    one.id = text(random);
    for (int i = number(random, 3); i > 0; --i) one.lines.push_back(line(random));
    if (number(random, 1) == 0) one.note = text(random);
    if (number(random, 1) == 0) one.gift = line(random);
    one.status = number(random, 1) == 0 ? everything::Status::open : everything::Status::in_progress;
    one.prices[text(random)] = number(random, 1000) * 1e-3;
    one.flags[number(random, 10) - 5] = true;
    one.pair = {number(random, 9), text(random)};
    one.two = {-128, 127};
    one.wait = milliseconds{number(random, 1 << 30)};
    one.when = system_clock::time_point{seconds{number(random, 2'000'000'000)}};
    switch (number(random, 3)) {
        case 0: one.any = std::monostate{}; break;
        case 1: one.any = true; break;
        case 2: one.any = number(random, 100); break;
        default: one.any = text(random);
    }
    if (number(random, 1) == 0) one.link = std::make_unique<everything::Line>(line(random));
    one.big = number(random, 1) == 0 ? std::numeric_limits<std::int64_t>::min() : 7;
    return one;
}

everything::Event event(Random& random) {
    if (number(random, 1) == 0) return everything::Created{text(random)};
    return everything::Deleted{text(random)};
}

everything::Node node(Random& random, int depth = 3) {
    everything::Node one{text(random), {}};
    for (int i = depth == 0 ? 0 : number(random, 2); i > 0; --i) one.children.push_back(node(random, depth - 1));
    return one;
}

/// Changes a document somewhere, in a way that the decoder may take or refuse.
void mutate(nlohmann::json& document, Random& random) {
    nlohmann::json* at = &document;
    while (at->is_structured() && !at->empty() && number(random, 3) != 0) {
        auto next = at->begin();
        std::advance(next, number(random, static_cast<int>(at->size()) - 1));
        at = &*next;
    }
    static const nlohmann::json others[] = {
        nullptr, true, 0, 1.0, -1, 1.5, 70000, "open", "x", nlohmann::json::array(), nlohmann::json::object()};
    if (at->is_object() && !at->empty() && number(random, 1) == 0) at->erase(at->begin());
    else if (at->is_object() && number(random, 1) == 0) (*at)["unknown"] = 1;
    else *at = others[number(random, 10)];
}

/// Writes bodies of a T: some that freshet has written, and of those that were changed the ones that it reads.
template <class T, class Make>
void write_bodies(std::ofstream& out, const char* name, Random& random, Make make) {
    const auto schema = nlohmann::json::parse(freshet::schema_of<T>());
    const auto write = [&](const std::string& body) {
        out << nlohmann::json{{"name", name}, {"schema", schema}, {"body", body}}.dump() << '\n';
    };
    for (int i = 0; i < 300; ++i) {
        freshet::Buffer body;
        freshet::detail::encode_body(make(random), freshet::Format::json, body);
        write(std::string{body.text()});
        auto changed = nlohmann::json::parse(body.text());
        mutate(changed, random);
        const auto text = changed.dump();
        T back{};
        if (freshet::detail::decode_body(freshet::as_bytes(text), "", back)) write(text);
    }
}

void write_document(const std::filesystem::path& directory, const std::string& name,
                    const freshet::Description& description) {
    std::ofstream{directory / (name + ".json")} << freshet::asyncapi_json(description);
    std::ofstream{directory / (name + ".yaml")} << freshet::asyncapi_yaml(description);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path directory{argv[1]};
    std::filesystem::create_directories(directory);
    for (const auto& example : example_services()) write_document(directory, example.name, describe(example));
    freshet::Broker broker{{.servers = {"nats://localhost:4222"}, .name = "everything"}};
    everything::wire(broker);
    write_document(directory, "everything", broker.describe());

    std::ofstream bodies{directory / "bodies.ndjson"};
    Random random{42};
    write_bodies<everything::Order>(bodies, "Order", random, order);
    write_bodies<everything::Event>(bodies, "Event", random, event);
    write_bodies<everything::Node>(bodies, "Node", random, [](Random& r) { return node(r); });
    write_bodies<everything::Line>(bodies, "Line", random, line);
    return bodies.good() ? 0 : 1;
}
