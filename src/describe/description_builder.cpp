// SPDX-License-Identifier: Apache-2.0
// What brokers declare, collected.
#include "describe/description_builder.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <freshet/detail/source.hpp>
#include <freshet/subject.hpp>

#include "base/without_secrets.hpp"
#include "broker/broker_core.hpp"
#include "describe/wire_name.hpp"
#include "nats/url.hpp"

namespace freshet::detail {
namespace {

std::vector<Format> all_formats(Format first) {
    std::vector<Format> formats{first};
    for (const auto other : {Format::json, Format::messagepack, Format::cbor})
        if (other != first) formats.push_back(other);
    return formats;
}

/// Adds what a router, or the program, tells of its parts to what a part tells of itself.
void inherit(About& about, const About& outer) {
    if (about.title.empty()) about.title = outer.title;
    if (about.text.empty()) about.text = outer.text;
    for (const auto& tag : outer.tags)
        if (std::ranges::find(about.tags, tag) == about.tags.end()) about.tags.push_back(tag);
    about.deprecated = about.deprecated || outer.deprecated;
}

About about_of(const SubscriberSpec& spec) {
    About about = spec.options.about;
    for (auto layer = spec.layers.rbegin(); layer != spec.layers.rend(); ++layer) inherit(about, (*layer)->about);
    return about;
}

/// Returns the layers around the handler of a subscriber.
std::vector<const Layer*> layers_of(const BrokerCore& broker, const SubscriberSpec& spec) {
    std::vector<const Layer*> layers;
    if (spec.bare) return layers;
    const auto broker_layer = broker.layer();
    layers.push_back(broker_layer.get());
    for (const auto& layer : spec.layers) layers.push_back(layer.get());
    if (spec.own != nullptr) layers.push_back(spec.own.get());
    return layers;
}

/// Returns the subjects of a subscriber's messages: those of a bucket, or of a stream that it reads whole.
std::vector<std::string> addresses_of(const std::string& subject, const SourceDescription& source) {
    if (source.kind == SourceKind::key_value) return {"$KV." + source.bucket + '.' + subject};
    if (source.kind == SourceKind::object_store) return {"$O." + source.bucket + ".M.*"};
    if (subject == ">" && !source.filter_subjects.empty()) return source.filter_subjects;
    if (subject == ">" && !source.stream_subjects.empty()) return source.stream_subjects;
    return {subject};
}

void add_header(std::vector<HeaderDescription>& headers, HeaderDescription header) {
    const auto known = std::ranges::find(headers, header.name, &HeaderDescription::name);
    if (known == headers.end()) headers.push_back(std::move(header));
    else known->required = known->required || header.required;
}

HeaderDescription own_header(std::string name, const char* schema) { return {std::move(name), schema, true}; }

constexpr const char* text_value = R"({"type":"string"})";
constexpr const char* number_value = R"({"minimum":0,"type":"integer"})";
constexpr const char* time_value = R"({"format":"date-time","type":"string"})";

std::vector<HeaderDescription> dead_letter_headers() {
    return {own_header("Dead-Letter-Reason", text_value),     own_header("Dead-Letter-Subject", text_value),
            own_header("Dead-Letter-Stream", text_value),     own_header("Dead-Letter-Consumer", text_value),
            own_header("Dead-Letter-Sequence", number_value), own_header("Dead-Letter-Deliveries", number_value),
            own_header("Dead-Letter-Time", time_value)};
}

}  // namespace

/// What the functions around and in a subscriber take and return.
struct DescriptionBuilder::Taken {
    std::vector<Body> bodies = {};
    std::map<std::string, const TypeShape*, std::less<>> path = {};
    std::vector<Body> results = {};
    std::vector<Body> error_answers = {};
    bool answers = false;
    bool optional = false;
    std::set<std::string> silent = {};  // types of parameters that say nothing of themselves
};

/// Collects what the parameters of one function take.
class DescriptionBuilder::TakenDescriber final : public Describer {
public:
    TakenDescriber(Taken& taken, Body& body) noexcept : taken_{taken}, body_{body} {}

    void add(const HandlerShape& shape) {
        for (const auto& parameter : shape.parameters) add(parameter);
    }
    void add_header(std::string_view name, const TypeShape& type, bool required) override {
        detail::add_header(body_.headers, {std::string{name}, text_schema(type).dump(), required});
    }
    void add_path(std::string_view name, const TypeShape& type) override {
        auto& known = taken_.path[std::string{name}];
        if (known == nullptr || known->kind == ShapeKind::text) known = &type;
    }
    void add_body(const BodyShape& body) override {
        if (body_.shape.kind == BodyKind::none || body_.shape.kind == BodyKind::raw) body_.shape = body;
    }

private:
    void add_header(const ParameterShape& parameter) {
        const auto schema = text_schema(*parameter.text, parameter.otherwise);
        detail::add_header(body_.headers, {std::string{parameter.name}, schema.dump(), parameter.required});
    }
    void add(const ParameterShape& parameter) {
        switch (parameter.kind) {
            case ParameterKind::nothing: break;
            case ParameterKind::message: body_.unknown = true; break;
            case ParameterKind::path: add_path(parameter.name, *parameter.text); break;
            case ParameterKind::header: add_header(parameter); break;
            case ParameterKind::body:
            case ParameterKind::batch: add_body(*parameter.body); break;
            case ParameterKind::nested: add(*parameter.nested); break;
            case ParameterKind::described: parameter.describe(*this); break;
            case ParameterKind::unknown: taken_.silent.insert(wire_name(parameter.name)); break;
        }
    }

    Taken& taken_;
    Body& body_;
};

void DescriptionBuilder::add(const BrokerCore& broker) {
    const auto& options = broker.link().options();
    if (result_.title.empty())
        result_.title = options.about.title.empty() ? without_secrets(options.name) : options.about.title;
    if (result_.version.empty()) result_.version = options.version;
    if (result_.text.empty()) result_.text = options.about.text;
    for (const auto& tag : options.about.tags)
        if (std::ranges::find(result_.tags, tag) == result_.tags.end()) result_.tags.push_back(tag);
    const auto servers = add_servers(broker);
    add_services(broker);
    broker.look_at_subscribers([&](const SubscriberSpec& spec, const Source* source) {
        add_subscriber(broker, spec, source, servers);
    });
    for (const auto& one : broker.link().declarations().all())
        add_outgoing(one, one.format.value_or(options.format), servers);
}

void DescriptionBuilder::add_services(const BrokerCore& broker) {
    for (const auto& service : broker.services()) {
        const auto& facts = service->facts();
        services_[&facts] = {
            .name = facts.name, .version = facts.version, .about = facts.about, .metadata = facts.metadata};
    }
}

std::vector<std::string> DescriptionBuilder::add_servers(const BrokerCore& broker) {
    const auto& options = broker.link().options();
    const auto connection = without_secrets(options.name);
    std::vector<std::string> names;
    for (const auto& url : options.servers) {
        const auto parsed = nats::ServerUrl::parse(url);
        if (!parsed) continue;  // start() reports it
        ServerDescription server{.protocol = options.tls.enabled ? "tls" : std::string{parsed->scheme},
                                 .host = without_secrets(nats::address_of(parsed->host, parsed->port)),
                                 .connection_name = connection};
        const auto known = std::ranges::find_if(result_.servers, [&](const ServerDescription& one) {
            return one.host == server.host && one.protocol == server.protocol && one.connection_name == connection;
        });
        if (known == result_.servers.end()) {
            const auto base = connection.empty() ? std::string{"nats"} : id_of(connection);
            server.name = base;
            for (std::size_t n = 2; result_.server(server.name) != nullptr; ++n)
                server.name = base + '_' + std::to_string(n);
            names.push_back(server.name);
            result_.servers.push_back(std::move(server));
        } else {
            names.push_back(known->name);
        }
    }
    return names;
}

void DescriptionBuilder::add_subscriber(const BrokerCore& broker, const SubscriberSpec& spec, const Source* source,
                                        const std::vector<std::string>& servers) {
    SourceDescription from;
    if (source != nullptr) source->describe(from);
    const auto formats = all_formats(broker.link().options().format);
    Taken taken;
    Body around;
    const auto layers = layers_of(broker, spec);
    for (const auto* layer : layers)
        for (const auto* shape : layer->taken) TakenDescriber{taken, around}.add(*shape);
    std::vector<const HandlerShape*> shapes;
    for (const auto& one : spec.cases)
        if (one.handler != nullptr) one.handler->describe(shapes);
    if (spec.handler != nullptr) spec.handler->describe(shapes);
    for (const auto* shape : shapes) {
        auto body = around;
        body.formats = all_formats(Format::json);  // what a body without a content type is
        if (shape == nullptr) body.unknown = true;
        else TakenDescriber{taken, body}.add(*shape);
        taken.bodies.push_back(std::move(body));
        if (shape == nullptr || !shape->has_result) continue;
        taken.results.push_back({.shape = shape->result, .formats = formats});
        taken.optional = taken.optional || shape->may_skip;
    }
    for (const auto* layer : layers)
        for (const auto* shape : layer->answered)
            if (shape->has_result) taken.error_answers.push_back({.shape = shape->result, .formats = formats});
    taken.answers = !taken.results.empty() && !spec.options.no_reply && (source == nullptr || source->answerable());
    for (auto& address : addresses_of(spec.subject, from)) {
        add_receive({.address = std::move(address),
                     .bucket = from.bucket,
                     .queue = from.queue.empty() ? spec.options.queue : from.queue,
                     .about = about_of(spec),
                     .bodies = taken.bodies,
                     .source = from,
                     .batch = spec.options.batch.size,
                     .servers = servers,
                     .endpoint = spec.endpoint.get()},
                    spec, taken);
    }
    add_source(from, taken.bodies);
}

void DescriptionBuilder::add_receive(Operation receive, const SubscriberSpec& spec, const Taken& taken) {
    auto& address = addresses_[receive.address];
    for (const auto& [name, type] : taken.path) {
        auto& known = address.parameters[name];
        if (known == nullptr || known->kind == ShapeKind::text) known = type;
    }
    if (taken.answers) {
        auto& reply = receive.reply.emplace();
        reply.bodies = taken.results;
        reply.bodies.insert(reply.bodies.end(), taken.error_answers.begin(), taken.error_answers.end());
        reply.bodies.push_back(error_answer());
        reply.optional = taken.optional;
    }
    const auto index = operations_.size();
    operations_.push_back(receive);
    for (const auto& type : taken.silent) operations_.back().silent.insert(type);
    for (const auto& target : spec.publish_to) {
        for (const auto& [name, type] : taken.path) addresses_[target.subject].parameters.emplace(name, type);
        auto bodies = taken.results;
        for (const auto& [name, value] : target.options.headers)
            for (auto& body : bodies) add_header(body.headers, own_header(name, text_value));
        add_sending({.kind = Kind::publish,
                     .address = target.subject,
                     .bodies = std::move(bodies),
                     .servers = receive.servers,
                     .causes = {index}});
    }
    add_dead_letters(receive, index);
}

DescriptionBuilder::Body DescriptionBuilder::error_answer() {
    return {
        .headers = {own_header("Nats-Service-Error", text_value), own_header("Nats-Service-Error-Code", number_value)},
        .own_name = "error"};
}

void DescriptionBuilder::add_dead_letters(const Operation& receive, std::size_t cause) {
    const auto& retry = receive.source->retry;
    if (!retry || retry->dead_letter.empty()) return;
    Operation send{.kind = Kind::dead_letter,
                   .address = retry->dead_letter,
                   .bodies = receive.bodies,
                   .servers = receive.servers,
                   .causes = {cause}};
    for (auto& body : send.bodies) {
        body.dead_letter = true;
        for (auto& header : dead_letter_headers()) add_header(body.headers, std::move(header));
    }
    add_sending(std::move(send));
}

void DescriptionBuilder::add_outgoing(const Declarations::One& one, Format format,
                                      const std::vector<std::string>& servers) {
    const Body body{.shape = one.shape->body == nullptr ? BodyShape{} : *one.shape->body,
                    .formats = all_formats(format)};
    switch (one.shape->kind) {
        case OutgoingShape::Kind::key_value:
            return add_source({.kind = SourceKind::key_value, .stream = "KV_" + one.subject, .bucket = one.subject},
                              {body});
        case OutgoingShape::Kind::object_store:
            return add_source({.kind = SourceKind::object_store, .stream = "OBJ_" + one.subject, .bucket = one.subject},
                              {});
        default: break;
    }
    Operation send{
        .kind = Kind::publish, .address = one.subject, .about = one.about, .bodies = {body}, .servers = servers};
    if (one.shape->kind == OutgoingShape::Kind::client) {
        send.kind = Kind::request;
        send.reply.emplace().bodies = {{.shape = *one.shape->answer, .formats = all_formats(format)}, error_answer()};
    }
    add_sending(std::move(send));
}

void DescriptionBuilder::add_source(const SourceDescription& source, const std::vector<Body>& values) {
    if (source.kind == SourceKind::key_value || source.kind == SourceKind::object_store) {
        const auto kind = source.kind == SourceKind::key_value ? BucketDescription::Kind::key_value
                                                               : BucketDescription::Kind::object_store;
        auto& bucket = buckets_[{kind, source.bucket}];
        bucket.name = source.bucket;
        bucket.kind = kind;
        if (bucket.settings.empty()) bucket.settings = source.stream_settings;
        auto& known = values_[{kind, source.bucket}];
        known.insert(known.end(), values.begin(), values.end());
    } else if (!source.stream.empty()) {
        auto& stream = streams_[source.stream];
        stream.name = source.stream;
        if (!stream.settings.empty()) return;
        stream.subjects = source.stream_subjects;
        stream.settings = source.stream_settings;
    }
}

void DescriptionBuilder::add_sending(Operation operation) {
    std::ignore = addresses_[operation.address];
    const auto known = std::ranges::find_if(operations_, [&](const Operation& one) {
        return one.kind == operation.kind && one.address == operation.address;
    });
    if (known == operations_.end()) return operations_.push_back(std::move(operation));
    const auto join = [](auto& into, auto& from) { into.insert(into.end(), from.begin(), from.end()); };
    join(known->bodies, operation.bodies);
    join(known->causes, operation.causes);
    join(known->servers, operation.servers);
    if (operation.reply) join(known->reply->bodies, operation.reply->bodies);
    inherit(known->about, operation.about);
}

}  // namespace freshet::detail
