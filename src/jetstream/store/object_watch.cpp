// SPDX-License-Identifier: Apache-2.0
#include <freshet/obj/watch.hpp>

#include <limits>
#include <utility>

#include <freshet/obj/watcher.hpp>

#include "jetstream/consume/stream_description.hpp"
#include "jetstream/store/object_bucket.hpp"
#include "jetstream/store/object_json.hpp"
#include "jetstream/store/watch_source.hpp"

namespace freshet::detail {
namespace {

void bind_watch(const obj::Watch& watch, Binder& binder) {
    if (auto valid = check_bucket(StoreKind::object, watch.bucket); !valid)
        binder.problem(std::string{valid.error().message()});
}

void describe_watch(const obj::Watch& watch, SourceDescription& description) {
    description.kind = SourceKind::object_store;
    description.bucket = watch.bucket;
    describe_bucket(
        "OBJ_" + watch.bucket, watch.options.context, [&] { return object_stream(watch.bucket, watch.options, false); },
        description);
}

/// Returns what to watch. Applies the pattern in the client, because names are not subjects on the wire.
Expected<WatchSpec> open_watch(const obj::Watch& watch, Link& link, const Subject& subject) {
    auto spec = std::make_shared<ObjectBucket>(link, watch.bucket, watch.options)
                    ->watch({.ignore_deletes = watch.ignore_deletes, .updates_only = watch.updates_only});
    spec.translate = [translate = std::move(spec.translate), subject](const Message& stored, bool initial) -> Message {
        auto message = translate(stored, initial);
        if (message && !subject.matches(message.subject())) return {};
        return message;
    };
    return spec;
}

/// Returns what write_object_info() writes, as JSON Schema.
std::string object_info_schema() {
    return R"({"type":"object","required":["name","bucket","nuid","size","chunks"],"properties":{
        "name":{"type":"string"},"bucket":{"type":"string"},"nuid":{"type":"string"},"description":{"type":"string"},
        "size":{"type":"integer","minimum":0},"chunks":{"type":"integer","minimum":0},"digest":{"type":"string"},
        "headers":{"type":"object"},"metadata":{"type":"object","additionalProperties":{"type":"string"}},
        "options":{"type":"object"},"deleted":{"type":"boolean"}}})";
}

constexpr TypeShape object_info{
    .kind = ShapeKind::written, .name = "freshet::obj::Info", .schema = &object_info_schema};

}  // namespace

void describe_object_info(Describer& describer) {
    describer.add_body({.kind = BodyKind::own, .content_type = "application/json", .type = &object_info});
}

InfoPlan bind_info(Binder& binder) {
    if (!binder.carries(typeid(obj::Info)))
        binder.problem("the handler takes obj::Info, which only an obj::Watch delivers: give one to subscriber()");
    return {};
}

Expected<obj::Info> read_watched_object(const Message& message) {
    auto info = read_object_info(message.text());
    if (!info) return info;
    info->name = message.subject();
    if (const auto metadata = message.metadata()) info->modified = metadata->time;
    info->initial = is_initial(message);
    return info;
}

}  // namespace freshet::detail

namespace freshet::obj {
namespace {

std::optional<Info> read(const std::optional<Message>& message) {
    if (!message) return std::nullopt;
    return value_or_raise(detail::read_watched_object(*message));
}

}  // namespace

detail::SourceSpec linked_source(Watch watch) {
    constexpr auto unlimited = std::numeric_limits<std::size_t>::max();  // it takes no more than its window
    SubscriberOptions options{.workers = watch.workers,
                              .ordered_by = watch.ordered_by,
                              .dedicated = watch.dedicated,
                              .max_pending_messages = unlimited,
                              .max_pending_bytes = unlimited,
                              .on_lost = watch.on_lost,
                              .about = watch.about};
    detail::WatchKind kind{
        .bind = [watch](const Subject&, Binder& binder) { detail::bind_watch(watch, binder); },
        .open = [watch](detail::Link& link,
                        const Subject& subject) { return detail::open_watch(watch, link, subject); },
        .caught_up = watch.caught_up,
        .describe = [watch](SourceDescription& description) { detail::describe_watch(watch, description); },
        .record = typeid(Info)};
    return {std::move(options), std::make_unique<detail::WatchSource>(std::move(kind))};
}

Watcher::Watcher(std::unique_ptr<detail::WatchQueue> queue) noexcept : queue_{std::move(queue)} {}
Watcher::Watcher(Watcher&&) noexcept = default;
Watcher& Watcher::operator=(Watcher&&) noexcept = default;
Watcher::~Watcher() = default;

std::optional<Info> Watcher::next() { return read(queue_->next(std::nullopt, false)); }
std::optional<Info> Watcher::next(std::chrono::milliseconds timeout) { return read(queue_->next(timeout, false)); }

Infos Watcher::initial() {
    Infos infos;
    while (const auto message = queue_->next(std::nullopt, true)) {
        if (auto info = detail::read_watched_object(*message)) infos.push_back(*std::move(info));
        else infos.errors.push_back(std::move(info).error());
    }
    return infos;
}

bool Watcher::caught_up() const { return queue_->caught_up(); }
void Watcher::stop() noexcept { queue_->stop(); }

}  // namespace freshet::obj
