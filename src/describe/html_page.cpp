// SPDX-License-Identifier: Apache-2.0
// A description as one HTML file, for readers.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/asyncapi.hpp>

#include "describe/html_assets.hpp"
#include "describe/html_schema.hpp"
#include "describe/html_writer.hpp"
#include "describe/json.hpp"

namespace freshet {
namespace detail {
namespace {

using Kind = OperationDescription::Kind;

struct KindWords {
    Kind kind;
    const char* badge;
    const char* title;
};
constexpr std::array<KindWords, 4> kinds{{{Kind::receive, "receives", "Receives"},
                                          {Kind::request, "asks", "Asks others"},
                                          {Kind::publish, "sends", "Sends"},
                                          {Kind::dead_letter, "gives up", "Gives up"}}};

const char* badge_of(Kind kind) noexcept {
    for (const auto& one : kinds)
        if (one.kind == kind) return one.badge;
    return "";
}

std::string operation_id(std::string_view id) { return "operation-" + std::string{id}; }
std::string stream_id(std::string_view name) { return "stream-" + std::string{name}; }
std::string bucket_id(std::string_view name) { return "bucket-" + std::string{name}; }

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& one : words) all += (all.empty() ? "" : ", ") + one;
    return all;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

std::string indented(const std::string& json) {
    const auto parsed = Json::parse(json, nullptr, false);
    return parsed.is_discarded() ? json : parsed.dump(2);
}

/// Writes the page of a description.
class Page {
public:
    explicit Page(const Description& description) : description_{description}, schemas_{html_, description} {}

    std::string write() && {
        html_.raw("<!doctype html>\n");
        html_.element("html", {{"lang", "en"}}, [&] {
            head();
            html_.element("body", [&] {
                html_.element("a", {{"class", "skip"}, {"href", "#content"}}, "To the content");
                top();
                html_.element("div", {{"class", "columns"}}, [&] {
                    navigation();
                    html_.element("main", {{"id", "content"}}, [&] { content(); });
                });
                html_.element("script", [&] { html_.raw(page_script); });
            });
        });
        html_.raw("\n");
        return std::move(html_).take();
    }

private:
    const std::string& title() const {
        static const std::string none = "Service";
        return description_.title.empty() ? none : description_.title;
    }

    void head() {
        html_.element("head", [&] {
            html_.raw("<meta charset=\"utf-8\">");
            html_.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
            html_.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"");
            html_.text(page_policy);
            html_.raw("\">");
            html_.element("title", title());
            html_.element("style", [&] { html_.raw(page_style); });
        });
    }

    void top() {
        html_.element("header", [&] {
            html_.element("h1", [&] {
                html_.text(title());
                if (!description_.version.empty()) html_.element("span", {{"class", "version"}}, description_.version);
            });
            tags(description_.tags);
            text(description_.text);
            html_.element("search", [&] {
                html_.element("label", {{"for", "search"}}, "Search");
                html_.raw("<input id=\"search\" type=\"search\" autocomplete=\"off\" "
                          "placeholder=\"subject, type, tag... ( / )\">");
                html_.element("output", {{"id", "found"}, {"for", "search"}}, "");
            });
        });
    }

    void navigation() {
        html_.element("nav", {{"aria-label", "Contents"}}, [&] {
            for (const auto& kind : kinds) {
                std::vector<Link> links;
                for (const auto& one : description_.operations)
                    if (one.kind == kind.kind)
                        links.push_back({operation_id(one.id), address(one), one.about.deprecated});
                show_links(kind.title, links);
            }
            show_links("Types", links_of(description_.schemas, HtmlSchemas::id_of));
            show_links("Streams", links_of(description_.streams, stream_id));
            show_links("Buckets", links_of(description_.buckets, bucket_id));
        });
    }

    struct Link {
        std::string id;
        std::string words;
        bool is_deprecated = false;
    };
    template <class List>
    static std::vector<Link> links_of(const List& list, std::string (*id)(std::string_view)) {
        std::vector<Link> links;
        for (const auto& one : list) links.push_back({id(one.name), one.name});
        return links;
    }
    void show_links(std::string_view heading, const std::vector<Link>& links) {
        if (links.empty()) return;
        html_.element("h2", heading);
        html_.element("ul", [&] {
            for (const auto& one : links) {
                html_.element("li", [&] {
                    html_.link(one.id, one.words);
                    if (one.is_deprecated) html_.element("span", {{"class", "badge"}}, "deprecated");
                });
            }
        });
    }

    void content() {
        servers();
        for (const auto& kind : kinds)
            for (const auto& operation : description_.operations)
                if (operation.kind == kind.kind) show(operation);
        show_all("Types", description_.schemas);
        show_all("Streams", description_.streams);
        show_all("Buckets", description_.buckets);
    }

    void servers() {
        for (const auto& server : description_.servers) fact("Server", server.protocol + "://" + server.host);
    }

    void show(const OperationDescription& operation) {
        const auto id = operation_id(operation.id);
        html_.element("article", {{"id", id}, {"data-search", words_of(operation)}}, [&] {
            heading(id, [&] {
                const std::string kind = std::string{"kind "} + to_string(operation.kind);
                html_.element("span", {{"class", kind}}, badge_of(operation.kind));
                html_.element("code", address(operation));
                if (operation.about.deprecated) html_.element("span", {{"class", "badge"}}, "deprecated");
            });
            if (!operation.about.title.empty()) html_.element("p", {{"class", "title"}}, operation.about.title);
            tags(operation.about.tags);
            text(operation.about.text);
            facts(operation);
            parameters(operation);
            for (const auto& name : operation.messages) message(name, "Message");
            if (!operation.reply) return;
            const auto* what = operation.reply->optional ? "Answer, if there is one" : "Answer";
            for (const auto& name : operation.reply->messages) message(name, what);
        });
    }

    template <class List>
    void show_all(std::string_view heading, const List& list) {
        if (!list.empty()) html_.element("h2", heading);
        for (const auto& one : list) show(one);
    }

    void heading(std::string_view id, auto&& words) {
        html_.element("h3", [&] {
            words();
            const std::string target = '#' + std::string{id};
            html_.element("a", {{"class", "here"}, {"href", target}, {"aria-label", "Link to this part"}}, "#");
        });
    }

    void show(const SchemaDescription& schema) {
        const auto id = HtmlSchemas::id_of(schema.name);
        html_.element("article", {{"id", id}, {"data-search", lower(schema.name)}}, [&] {
            heading(id, [&] { html_.element("code", schema.name); });
            schemas_.write_named(schema.name);
        });
    }

    void show(const StreamDescription& stream) {
        const auto id = stream_id(stream.name);
        html_.element("article", {{"id", id}, {"data-search", lower(stream.name)}}, [&] {
            heading(id, [&] { html_.element("code", stream.name); });
            if (!stream.subjects.empty()) fact("Subjects", joined(stream.subjects));
            settings("Settings", stream.settings);
        });
    }

    void show(const BucketDescription& bucket) {
        const auto id = bucket_id(bucket.name);
        html_.element("article", {{"id", id}, {"data-search", lower(bucket.name)}}, [&] {
            heading(id, [&] { html_.element("code", bucket.name); });
            fact("Kind", bucket.kind == BucketDescription::Kind::key_value ? "key-value" : "object store");
            settings("Settings of its stream", bucket.settings);
            for (const auto& name : bucket.messages) message(name, "Value");
        });
    }

    void facts(const OperationDescription& operation) {
        if (!operation.queue.empty()) fact("Queue group", operation.queue);
        if (operation.batch > 0) fact("Batches of at most", std::to_string(operation.batch));
        if (operation.source) show(*operation.source);
        for (const auto& id : operation.caused_by) linked("Sent by", operation_id(id), id);
    }

    void show(const SourceDescription& source) {
        if (source.kind == SourceKind::core) return;
        fact("Read by", to_string(source.kind));
        if (!source.bucket.empty()) linked("Bucket", bucket_id(source.bucket), source.bucket);
        else if (!source.stream.empty()) linked("Stream", stream_id(source.stream), source.stream);
        fact("Consumer", source.consumer);
        fact("Filter", joined(source.filter_subjects));
        fact("Acknowledges", source.ack_policy);
        fact("Domain", source.domain);
        if (source.retry) {
            fact("Attempts", source.retry->max_attempts == 0 ? "no limit" : std::to_string(source.retry->max_attempts));
            fact("Dead letters", source.retry->dead_letter);
        }
        settings("Settings of the consumer", source.consumer_settings);
    }

    void parameters(const OperationDescription& operation) {
        const auto* channel = description_.channel(operation.channel);
        if (channel == nullptr || channel->parameters.empty()) return;
        html_.element("h4", "Parameters");
        html_.element("ul", {{"class", "members"}}, [&] {
            for (const auto& one : channel->parameters) {
                html_.element("li", [&] {
                    html_.element("code", {{"class", "member"}}, '{' + one.name + '}');
                    html_.element("span", {{"class", "type"}}, [&] { schemas_.write_type(one.schema); });
                });
            }
        });
    }

    void message(const std::string& name, std::string_view what) {
        const auto* message = description_.message(name);
        if (message == nullptr) return;
        html_.element("section", {{"class", "message"}}, [&] {
            html_.element("h5", [&] {
                html_.text(what);
                html_.text(" ");
                html_.element("code", message->name);
            });
            fact("Content type", joined(message->content_types));
            headers(*message);
            body(*message);
            for (const auto& example : message->examples)
                html_.element("pre", {{"aria-label", "Example"}, {"tabindex", "0"}}, indented(example));
        });
    }

    void headers(const MessageDescription& message) {
        if (message.headers.empty()) return;
        html_.element("p", {{"class", "fact"}}, [&] { html_.element("b", "Headers"); });
        html_.element("ul", {{"class", "members"}}, [&] {
            for (const auto& header : message.headers) {
                html_.element("li", [&] {
                    html_.element("code", {{"class", "member"}}, header.name);
                    html_.element("span", {{"class", "type"}}, [&] { schemas_.write_type(header.schema); });
                    if (header.required) html_.element("span", {{"class", "required"}}, "required");
                });
            }
        });
    }

    void body(const MessageDescription& message) {
        switch (message.body) {
            case MessageDescription::Body::none: return fact("Body", "none");
            case MessageDescription::Body::unknown: return fact("Body", "bytes of which the service says no more");
            case MessageDescription::Body::typed: break;
        }
        if (message.schema_format.empty()) return schemas_.write(message.schema);
        fact("Schema in", message.schema_format);
        html_.element("pre", {{"tabindex", "0"}}, message.schema);
    }

    void fact(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        html_.element("p", {{"class", "fact"}}, [&] {
            html_.element("b", name);
            html_.element("code", value);
        });
    }

    void linked(std::string_view name, std::string_view id, std::string_view words) {
        html_.element("p", {{"class", "fact"}}, [&] {
            html_.element("b", name);
            html_.link(id, words);
        });
    }

    void settings(std::string_view name, const std::string& json) {
        if (json.empty()) return;
        html_.element("details", [&] {
            html_.element("summary", name);
            html_.element("pre", {{"tabindex", "0"}}, indented(json));
        });
    }

    void tags(const std::vector<std::string>& tags) {
        if (tags.empty()) return;
        html_.element("p", {{"class", "tags"}}, [&] {
            for (const auto& tag : tags) html_.element("span", {{"class", "tag"}}, tag);
        });
    }

    void text(std::string_view content) {
        if (!content.empty()) html_.element("p", {{"class", "text"}}, content);
    }

    const std::string& address(const OperationDescription& operation) const {
        const auto* channel = description_.channel(operation.channel);
        return channel == nullptr ? operation.channel : channel->address;
    }

    /// Returns what the search looks in.
    std::string words_of(const OperationDescription& operation) const {
        std::string words = address(operation) + ' ' + operation.id + ' ' + operation.about.title + ' ' +
                            joined(operation.about.tags) + ' ' + operation.queue + ' ' + joined(operation.messages);
        if (operation.reply) words += ' ' + joined(operation.reply->messages);
        return lower(std::move(words));
    }

    const Description& description_;
    HtmlWriter html_ = {};
    HtmlSchemas schemas_;
};

}  // namespace
}  // namespace detail

std::string asyncapi_html(const Description& description) { return detail::Page{description}.write(); }

}  // namespace freshet
