// SPDX-License-Identifier: Apache-2.0
// What was collected, with names and in order.
#include <algorithm>
#include <cerrno>
#include <numeric>
#include <tuple>
#include <utility>

#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "describe/description_builder.hpp"
#include "describe/wire_name.hpp"

namespace freshet::detail {
namespace {

void add_once(std::vector<std::string>& list, std::string text) {
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
}

/// Returns `base`, or, if that is taken, the first of base_2, base_3... that is not.
template <class IsTaken>
std::string free_name(const std::string& base, const IsTaken& is_taken) {
    auto name = base;
    for (std::size_t n = 2; is_taken(name); ++n) name = base + '_' + std::to_string(n);
    return name;
}

}  // namespace

Description DescriptionBuilder::finish() {
    if (result_.title.empty()) result_.title = ::program_invocation_short_name;
    name_channels();
    name_operations();
    for (const auto& operation : operations_) describe_operation(operation);
    for (const auto& [address, known] : addresses_) describe_channel(address, known);
    describe_buckets();
    describe_services();
    for (auto& [name, message] : messages_) result_.messages.push_back(std::move(message));
    for (const auto& [name, schema] : schemas_.named()) result_.schemas.push_back({name, schema.dump()});
    for (auto& [name, stream] : streams_) result_.streams.push_back(std::move(stream));
    for (const auto& type : schemas_.unknown()) {
        unknown_.insert("type " + quoted(type) +
                        ": it has conversions of another library, which do not tell what it is; give "
                        "freshet::Codec<T> a schema()");
    }
    result_.unknown = {unknown_.begin(), unknown_.end()};
    std::ranges::sort(result_.servers, {}, &ServerDescription::name);
    std::ranges::sort(result_.operations, {}, &OperationDescription::id);
    std::ranges::sort(result_.channels, {}, &ChannelDescription::name);
    return std::move(result_);
}

void DescriptionBuilder::name_channels() {
    std::set<std::string> taken;
    for (auto& [address, known] : addresses_) {
        known.name = free_name(channel_name(address), [&](const std::string& name) { return taken.contains(name); });
        taken.insert(known.name);
    }
}

void DescriptionBuilder::name_operations() {
    const auto base_of = [&](const Operation& operation) {
        return std::string{to_string(operation.kind)} + '_' + id_of(addresses_.at(operation.address).name);
    };
    const auto group_of = [](const Operation& operation) {
        if (!operation.queue.empty()) return operation.queue;
        return operation.source ? operation.source->consumer : std::string{};
    };
    std::vector<std::size_t> order(operations_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) {
        return std::tuple{operations_[i].address, operations_[i].kind, group_of(operations_[i])};
    });
    std::map<std::string, int> uses;
    for (const auto& operation : operations_) ++uses[base_of(operation)];
    std::set<std::string> taken;
    for (const auto i : order) {
        auto& operation = operations_[i];
        auto base = base_of(operation);
        if (uses[base] > 1 && !group_of(operation).empty()) base += '_' + id_of(group_of(operation));
        operation.id = free_name(base, [&](const std::string& name) { return taken.contains(name); });
        taken.insert(operation.id);
    }
}

void DescriptionBuilder::describe_operation(const Operation& operation) {
    auto& address = addresses_.at(operation.address);
    OperationDescription made{.id = operation.id,
                              .kind = operation.kind,
                              .channel = address.name,
                              .about = operation.about,
                              .queue = operation.queue,
                              .messages = names_of(operation.bodies, operation.id),
                              .source = operation.source,
                              .batch = operation.batch};
    if (operation.reply)
        made.reply =
            ReplyDescription{names_of(operation.reply->bodies, operation.id + ".reply"), operation.reply->optional};
    for (const auto cause : operation.causes) add_once(made.caused_by, operations_[cause].id);
    std::ranges::sort(made.caused_by);
    address.messages.insert(made.messages.begin(), made.messages.end());
    address.servers.insert(operation.servers.begin(), operation.servers.end());
    if (!operation.bucket.empty()) address.bucket = operation.bucket;
    for (const auto& type : operation.silent) {
        unknown_.insert(operation.id + ": a parameter " + quoted(type) +
                        " does not tell what it takes; give its Extractor a describe()");
    }
    result_.operations.push_back(std::move(made));
}

void DescriptionBuilder::describe_channel(const std::string& address, const Address& known) {
    const Subject subject{address};
    ChannelDescription channel{.name = known.name,
                               .address = address,
                               .subject = subject.wire(),
                               .servers = {known.servers.begin(), known.servers.end()},
                               .messages = {known.messages.begin(), known.messages.end()},
                               .bucket = known.bucket};
    for (const auto& parameter : subject.parameters()) {
        const auto type = known.parameters.find(parameter.name);
        const auto& shape = type == known.parameters.end() ? text_shape<std::string_view> : *type->second;
        ParameterDescription made{.name = parameter.name, .schema = text_schema(shape).dump()};
        for (const auto& one : shape.names) made.allowed.emplace_back(one.name);
        channel.parameters.push_back(std::move(made));
    }
    result_.channels.push_back(std::move(channel));
}

void DescriptionBuilder::describe_buckets() {
    for (auto& [key, bucket] : buckets_) {
        bucket.messages = names_of(values_[key], "bucket_" + id_of(bucket.name));
        result_.buckets.push_back(std::move(bucket));
    }
}

void DescriptionBuilder::describe_services() {
    for (const auto& operation : operations_) {
        if (operation.endpoint == nullptr) continue;
        const auto service = services_.find(&operation.endpoint->service());
        if (service == services_.end()) continue;  // it is not declared yet
        service->second.endpoints.push_back({operation.endpoint->name(), operation.id, operation.endpoint->metadata()});
    }
    for (auto& [facts, service] : services_) {
        std::ranges::sort(service.endpoints, {}, &EndpointDescription::name);
        result_.services.push_back(std::move(service));
    }
    std::ranges::sort(result_.services, {}, [](const auto& one) { return std::tie(one.name, one.version); });
}

std::vector<std::string> DescriptionBuilder::names_of(const std::vector<Body>& bodies, const std::string& operation) {
    std::vector<std::string> names;
    for (const auto& body : bodies) add_once(names, name_of(body, operation));
    std::ranges::sort(names);
    return names;
}

std::string DescriptionBuilder::name_of(const Body& body, const std::string& operation) {
    const auto made = message_of(body, operation);
    std::string base{body.own_name};
    if (base.empty()) base = made.type;
    if (base.empty() && made.body == MessageDescription::Body::none) base = "empty";
    if (base.empty() && body.shape.kind == BodyKind::raw) base = "bytes";
    const bool is_plain = !base.empty() && (made.headers.empty() || !body.own_name.empty());
    if (base.empty()) base = "body";
    const auto prefix = body.dead_letter ? std::string{"dead_letter."} : std::string{};
    const auto is_other = [&](const std::string& name) {
        const auto known = messages_.find(name);
        if (known == messages_.end()) return false;
        auto same = made;
        same.name = name;
        return known->second != same;
    };
    auto name = prefix + base;
    if (!is_plain || is_other(name)) name = free_name(operation + '.' + base, is_other);
    auto& message = messages_[name];
    message = made;
    message.name = name;
    return name;
}

MessageDescription DescriptionBuilder::message_of(const Body& body, const std::string& operation) {
    using Known = MessageDescription::Body;
    MessageDescription made{.headers = body.headers};
    std::ranges::sort(made.headers, {}, &HeaderDescription::name);
    const auto& shape = body.shape;
    const auto unknown = [&](const std::string& why) {
        made.body = Known::unknown;
        unknown_.insert(operation + ": " + why);
    };
    if (shape.kind == BodyKind::none) {
        if (body.unknown) unknown("the message is taken as it is");
        return made;
    }
    if (shape.kind == BodyKind::raw) {
        unknown("the body is bytes");
        return made;
    }
    const auto& type = shape.type->kind == ShapeKind::elsewhere ? shape.type->declared() : *shape.type;
    made.type = Schemas::name_of(type);
    if (shape.kind == BodyKind::json) {
        for (const auto format : body.formats) made.content_types.emplace_back(content_type(format));
    } else if (!shape.content_type.empty()) {
        made.content_types.emplace_back(shape.content_type);
    }
    if (type.kind == ShapeKind::unknown) {
        unknown("nothing tells what a " + quoted(made.type) + " is; give its freshet::Codec<T> a schema()");
        return made;
    }
    made.body = Known::typed;
    if (!shape.schema_format.empty()) {
        made.schema_format = shape.schema_format;
        made.schema = type.schema();
        return made;
    }
    made.schema = schemas_.of(type).dump();
    if (const auto example = Schemas::example_of(type)) made.examples.push_back(example->dump());
    return made;
}

}  // namespace freshet::detail
