// SPDX-License-Identifier: Apache-2.0
#include <freshet/diff.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/quoted.hpp"
#include "describe/schema_diff.hpp"

namespace freshet {
namespace detail {
namespace {

using Kind = OperationDescription::Kind;
using Names = std::vector<std::string>;

/// The programs on the other side of a message.
enum class Others : std::uint8_t { produce, consume };

Others others_of(Kind kind) noexcept { return kind == Kind::receive ? Others::produce : Others::consume; }

/// Compares two descriptions.
class Differ {
public:
    Differ(const Description& before, const Description& after) : before_{before}, after_{after} {}

    std::vector<Change> compare();

private:
    struct Pair {
        const OperationDescription* before = nullptr;
        const OperationDescription* after = nullptr;
    };

    const ChannelDescription& channel(const Description& in, const OperationDescription& operation) const {
        return *in.channel(operation.channel);
    }
    std::string name_of(const Description& in, const OperationDescription& operation) const {
        return std::string{to_string(operation.kind)} + ' ' + channel(in, operation).address;
    }
    std::vector<Pair> pairs() const;
    void compare(const Pair& pair);
    void gone(const OperationDescription& operation);
    void added(const OperationDescription& operation);
    void compare_services();
    void compare_service(const ServiceDescription& before, const ServiceDescription& after);
    void compare_subject(const Pair& pair, const std::string& where);
    void compare_settings(const Pair& pair, const std::string& where);
    void compare_reply(const Pair& pair, const std::string& where);
    void compare_messages(const Names& before, const Names& after, const std::string& where, Others others);
    void compare_message(const MessageDescription& before, const MessageDescription& after, const std::string& where,
                         Others others);
    void compare_headers(const MessageDescription& before, const MessageDescription& after, const std::string& where);
    void compare_content(const MessageDescription& before, const MessageDescription& after, const std::string& where,
                         Others others);
    void add(const std::string& where, std::string what, Impact consumer, Impact producer) {
        changes_.push_back({where, std::move(what), consumer, producer, Impact::safe});
    }
    /// Adds a change that means the same to everybody.
    void add(const std::string& where, std::string what, Impact impact) {
        changes_.push_back({where, std::move(what), impact, impact, impact});
    }
    /// Sets the verdict that counts, of the changes from `first` on.
    void judge(std::size_t first, Others others) {
        for (auto i = first; i < changes_.size(); ++i)
            changes_[i].impact = others == Others::consume ? changes_[i].consumer : changes_[i].producer;
    }

    const Description& before_;
    const Description& after_;
    std::vector<Change> changes_ = {};
};

std::vector<Change> Differ::compare() {
    for (const auto& pair : pairs()) compare(pair);
    const auto hosts = [](const Description& description) {
        Names all;
        for (const auto& server : description.servers) all.push_back(server.host);
        return all;
    };
    if (hosts(before_) != hosts(after_)) add("servers", "are others", Impact::look);
    compare_services();
    return std::move(changes_);
}

/// Operations with one kind and one subject on the wire are the same; of several, those with one queue or consumer.
std::vector<Differ::Pair> Differ::pairs() const {
    std::vector<Pair> all;
    std::vector<const OperationDescription*> rest;
    for (const auto& one : after_.operations) rest.push_back(&one);
    const auto take = [&](const OperationDescription& old, bool exact) -> const OperationDescription* {
        const auto found = std::ranges::find_if(rest, [&](const OperationDescription* one) {
            return one->kind == old.kind && channel(after_, *one).subject == channel(before_, old).subject &&
                   (!exact || one->queue == old.queue || one->id == old.id);
        });
        if (found == rest.end()) return nullptr;
        const auto* taken = *found;
        rest.erase(found);
        return taken;
    };
    for (const auto& old : before_.operations) all.push_back({&old, take(old, true)});
    for (auto& pair : all)
        if (pair.after == nullptr) pair.after = take(*pair.before, false);
    for (const auto* one : rest) all.push_back({nullptr, one});
    return all;
}

void Differ::compare(const Pair& pair) {
    if (pair.after == nullptr) return gone(*pair.before);
    if (pair.before == nullptr) return added(*pair.after);
    const auto where = name_of(before_, *pair.before);
    compare_subject(pair, where);
    compare_messages(pair.before->messages, pair.after->messages, where, others_of(pair.before->kind));
    compare_reply(pair, where);
    compare_settings(pair, where);
}

void Differ::gone(const OperationDescription& operation) {
    const auto where = name_of(before_, operation);
    // One of the same kind with the same messages, on a new subject, is probably this one.
    const auto renamed = std::ranges::find_if(after_.operations, [&](const OperationDescription& one) {
        return one.kind == operation.kind && one.messages == operation.messages &&
               std::ranges::none_of(before_.operations, [&](const OperationDescription& old) {
                   return old.kind == one.kind && channel(before_, old).subject == channel(after_, one).subject;
               });
    });
    const auto hint = renamed == after_.operations.end() ? std::string{}
                                                         : "; perhaps renamed to " + channel(after_, *renamed).address;
    switch (operation.kind) {
        case Kind::receive: return add(where, "nobody handles these messages any more" + hint, Impact::breaking);
        case Kind::publish: return add(where, "these messages are not sent any more" + hint, Impact::breaking);
        case Kind::request: return add(where, "is not asked any more" + hint, Impact::safe);
        case Kind::dead_letter: return add(where, "no dead letters come here any more" + hint, Impact::look);
    }
}

// Requests go to subjects, which the operations have. Services matter to those who look for subjects by names.
void Differ::compare_services() {
    for (const auto& old : before_.services) {
        if (const auto* const now = after_.service(old.name)) compare_service(old, *now);
        else add("service " + old.name, "nobody finds it by this name any more", Impact::look);
    }
    for (const auto& one : after_.services)
        if (before_.service(one.name) == nullptr) add("service " + one.name, "is new", Impact::safe);
}

void Differ::compare_service(const ServiceDescription& before, const ServiceDescription& after) {
    const auto where = "service " + before.name;
    if (before.version != after.version)
        add(where, "the version was " + before.version + ", is " + after.version, Impact::safe);
    if (before.metadata != after.metadata) add(where, "the metadata is other", Impact::look);
    const auto find = [](const ServiceDescription& in, const std::string& name) {
        return std::ranges::find(in.endpoints, name, &EndpointDescription::name);
    };
    const auto subject = [&](const Description& in, const EndpointDescription& endpoint) {
        const auto* const operation = in.operation(endpoint.operation);
        return operation == nullptr ? std::string{} : channel(in, *operation).subject;
    };
    for (const auto& old : before.endpoints) {
        const auto now = find(after, old.name);
        if (now == after.endpoints.end())
            add(where, "nobody finds the endpoint " + old.name + " by this name any more", Impact::look);
        else if (subject(before_, old) != subject(after_, *now))
            add(where, "the endpoint " + old.name + " has another subject", Impact::look);
        else if (old.metadata != now->metadata)
            add(where, "the endpoint " + old.name + " has other metadata", Impact::look);
    }
    for (const auto& one : after.endpoints)
        if (find(before, one.name) == before.endpoints.end())
            add(where, "the endpoint " + one.name + " is new", Impact::safe);
}

void Differ::added(const OperationDescription& operation) {
    const bool asks = operation.kind == Kind::request;
    add(name_of(after_, operation), asks ? "is new: somebody must answer" : "is new",
        asks ? Impact::look : Impact::safe);
}

void Differ::compare_subject(const Pair& pair, const std::string& where) {
    const auto& from = channel(before_, *pair.before);
    const auto& to = channel(after_, *pair.after);
    const auto first = changes_.size();
    if (from.address != to.address) add(where, "is written " + to.address + " now", Impact::safe, Impact::safe);
    SchemaDiff schemas{before_, after_};
    for (std::size_t i = 0; i < std::min(from.parameters.size(), to.parameters.size()); ++i) {
        const auto name = where + ": {" + to.parameters[i].name + '}';
        schemas.compare(from.parameters[i].schema, to.parameters[i].schema, name, changes_);
    }
    judge(first, others_of(pair.before->kind));
}

void Differ::compare_settings(const Pair& pair, const std::string& where) {
    const auto& from = *pair.before;
    const auto& to = *pair.after;
    if (from.queue != to.queue)
        add(where, "the queue group was " + quoted(from.queue) + ", is " + quoted(to.queue), Impact::look);
    if (from.about.deprecated != to.about.deprecated)
        add(where, to.about.deprecated ? "is deprecated now" : "is not deprecated any more", Impact::safe);
    if (from.source.has_value() != to.source.has_value() || !from.source) return;
    const auto& was = *from.source;
    const auto& is = *to.source;
    if (was.kind != is.kind)
        add(where, std::string{"messages came from "} + to_string(was.kind) + ", come from " + to_string(is.kind),
            Impact::look);
    const auto changed = [&](const char* what, const std::string& one, const std::string& other) {
        if (one != other) add(where, std::string{what} + " was " + quoted(one) + ", is " + quoted(other), Impact::look);
    };
    changed("the stream", was.stream, is.stream);
    changed("the consumer", was.consumer, is.consumer);
    changed("the bucket", was.bucket, is.bucket);
    changed("the acknowledgement", was.ack_policy, is.ack_policy);
    if (was.retry != is.retry) add(where, "the retries changed", Impact::look);
    if (was.stream_settings != is.stream_settings || was.consumer_settings != is.consumer_settings)
        add(where, "the settings of the stream or the consumer changed", Impact::look);
}

void Differ::compare_reply(const Pair& pair, const std::string& where) {
    const auto& from = pair.before->reply;
    const auto& to = pair.after->reply;
    const bool answers = pair.before->kind == Kind::receive;  // else others answer
    const auto name = where + ": the answer";
    if (!from && !to) return;
    const auto first = changes_.size();
    if (!to) add(name, "is gone", Impact::breaking, Impact::safe);
    else if (!from) add(name, "is new", Impact::safe, answers ? Impact::safe : Impact::breaking);
    else if (!from->optional && to->optional) add(name, "may be absent now", Impact::breaking, Impact::safe);
    else if (from->optional && !to->optional) add(name, "always comes now", Impact::safe, Impact::safe);
    judge(first, answers ? Others::consume : Others::produce);
    if (from && to) compare_messages(from->messages, to->messages, name, answers ? Others::consume : Others::produce);
}

void Differ::compare_messages(const Names& before, const Names& after, const std::string& where, Others others) {
    const auto key_of = [](const MessageDescription* message) {
        return message->type.empty() ? message->name : message->type;
    };
    std::vector<const MessageDescription*> from;
    std::vector<const MessageDescription*> to;
    for (const auto& name : before) from.push_back(before_.message(name));
    for (const auto& name : after) to.push_back(after_.message(name));
    const auto match = [&](bool by_type) {
        for (std::size_t i = 0; i < from.size();) {
            const auto found = std::ranges::find_if(to, [&](const MessageDescription* one) {
                return !by_type || key_of(one) == key_of(from[i]);
            });
            if (found == to.end()) {
                ++i;
                continue;
            }
            compare_message(*from[i], **found, where, others);
            to.erase(found);
            from.erase(from.begin() + static_cast<std::ptrdiff_t>(i));
        }
    };
    match(true);
    if (from.size() == 1 && to.size() == 1) match(false);  // a type that was renamed
    const auto first = changes_.size();
    for (const auto* gone : from)
        add(where, "the message " + quoted(gone->name) + " is gone", Impact::look, Impact::breaking);
    for (const auto* fresh : to)
        add(where, "the message " + quoted(fresh->name) + " is new", Impact::breaking, Impact::safe);
    judge(first, others);
}

void Differ::compare_message(const MessageDescription& before, const MessageDescription& after,
                             const std::string& where, Others others) {
    using Body = MessageDescription::Body;
    const auto first = changes_.size();
    compare_headers(before, after, where);
    compare_content(before, after, where, others);
    if (before.body != after.body) {
        const bool unknown = before.body == Body::unknown || after.body == Body::unknown;
        if (unknown) add(where, "it is not known whether the body changed", Impact::look, Impact::look);
        else if (after.body == Body::none) add(where, "has no body any more", Impact::breaking, Impact::safe);
        else add(where, "has a body now", Impact::safe, Impact::breaking);
    } else if (before.body == Body::typed) {
        if (before.schema_format.empty() && after.schema_format.empty())
            SchemaDiff{before_, after_}.compare(before.schema, after.schema, where + ": ", changes_);
        else if (before.schema != after.schema || before.schema_format != after.schema_format)
            add(where, "the schema changed", Impact::look, Impact::look);
    }
    for (auto i = first; i < changes_.size(); ++i)
        if (changes_[i].where.ends_with(": ")) changes_[i].where += "the body";
    judge(first, others);
}

void Differ::compare_headers(const MessageDescription& before, const MessageDescription& after,
                             const std::string& where) {
    const auto find = [](const MessageDescription& message, const std::string& name) -> const HeaderDescription* {
        const auto found = std::ranges::find(message.headers, name, &HeaderDescription::name);
        return found == message.headers.end() ? nullptr : &*found;
    };
    for (const auto& header : before.headers) {
        const auto name = where + ": header " + header.name;
        const auto* now = find(after, header.name);
        if (now == nullptr) {
            add(name, "is gone", header.required ? Impact::breaking : Impact::look, Impact::safe);
            continue;
        }
        if (header.required && !now->required) add(name, "may be absent now", Impact::breaking, Impact::safe);
        if (!header.required && now->required) add(name, "is required now", Impact::safe, Impact::breaking);
        SchemaDiff{before_, after_}.compare(header.schema, now->schema, name, changes_);
    }
    for (const auto& header : after.headers) {
        if (find(before, header.name) != nullptr) continue;
        add(where + ": header " + header.name, header.required ? "is new, and required" : "is new", Impact::safe,
            header.required ? Impact::breaking : Impact::safe);
    }
}

/// Compares the content types: of a message that is received all that are accepted, of one that is sent the usual one.
void Differ::compare_content(const MessageDescription& before, const MessageDescription& after,
                             const std::string& where, Others others) {
    const auto usual = [](const MessageDescription& message) {
        return message.content_types.empty() ? std::string{} : message.content_types.front();
    };
    if (others == Others::consume && usual(before) != usual(after))
        add(where, "the content type was " + quoted(usual(before)) + ", is " + quoted(usual(after)), Impact::breaking,
            Impact::look);
    if (others == Others::consume) return;
    for (const auto& type : before.content_types)
        if (std::ranges::find(after.content_types, type) == after.content_types.end())
            add(where, "the content type " + quoted(type) + " is not accepted any more", Impact::safe,
                Impact::breaking);
    if (!usual(before).empty() && !usual(after).empty() && usual(before) != usual(after))
        add(where, "bodies without a content type were " + usual(before) + ", are " + usual(after), Impact::safe,
            Impact::breaking);
}

}  // namespace
}  // namespace detail

std::vector<Change> diff(const Description& old_one, const Description& new_one) {
    return detail::Differ{old_one, new_one}.compare();
}

bool breaks(const std::vector<Change>& changes) noexcept {
    return std::ranges::any_of(changes, [](const Change& change) { return change.impact == Impact::breaking; });
}

const char* to_string(Impact impact) noexcept {
    switch (impact) {
        case Impact::safe: return "safe";
        case Impact::look: return "look";
        case Impact::breaking: return "breaking";
    }
    return "look";
}

}  // namespace freshet
