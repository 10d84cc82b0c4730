// SPDX-License-Identifier: Apache-2.0
// Describes a key-value bucket as a stream.
#include <freshet/error.hpp>

#include "base/quoted.hpp"
#include "jetstream/store/kv_bucket.hpp"

namespace freshet::detail {
namespace {

constexpr std::int64_t max_history = 64;

void check_options(const std::string& bucket, const kv::Options& options) {
    const auto refuse = [&](std::string_view why) {
        raise({Errc::bad_setup, "bucket " + detail::quoted(bucket) + ": " + std::string{why}});
    };
    if (options.history && (*options.history < 1 || *options.history > max_history)) refuse("history is from 1 to 64");
    if (options.ttl && options.ttl->count() < 0) refuse("ttl is negative");
    if (options.limit_markers && *options.limit_markers < std::chrono::seconds{1})
        refuse("limit_markers is at least one second");
    if (options.mirror && !options.sources.empty()) refuse("a mirror has no sources");
}

/// Returns the name of the stream, for the name of a bucket or of its stream.
std::string stream_of(const std::string& name) {
    return name.starts_with(kv_stream_prefix) ? name : std::string{kv_stream_prefix} + name;
}
std::string bucket_of(const std::string& name) {
    return name.starts_with(kv_stream_prefix) ? name.substr(kv_stream_prefix.size()) : name;
}
std::string keys_of(const std::string& bucket) { return "$KV." + bucket + ".>"; }

/// Completes a source: its keys get the prefix of this bucket. One with transforms stays as it is, since it may not be
/// a bucket (ADR-57).
js::StreamSource source_of(js::StreamSource source, const std::string& into) {
    if (!source.transforms.empty()) return source;
    const auto bucket = bucket_of(source.name);
    source.name = stream_of(source.name);
    const bool elsewhere = source.external || !source.domain.empty();
    if (!elsewhere || bucket != into) source.transforms = {{.source = keys_of(bucket), .destination = keys_of(into)}};
    return source;
}

}  // namespace

js::Stream kv_stream(const std::string& bucket, const kv::Options& options, bool fresh) {
    check_options(bucket, options);
    js::Stream stream{.name = std::string{kv_stream_prefix} + bucket,
                      .description = options.description,
                      .storage = options.storage,
                      .replicas = options.replicas,
                      .max_bytes = options.max_bytes,
                      .max_age = options.ttl,
                      .max_msgs_per_subject = options.history,
                      .max_msg_size = options.max_value_bytes,
                      .compression = options.compression,
                      .placement = options.placement,
                      .republish = options.republish,
                      .allow_rollup = true,
                      .metadata = options.metadata,
                      .declare = options.declare};
    if (fresh || options.max_bytes) stream.discard = js::Discard::incoming;
    if (fresh && !options.history) stream.max_msgs_per_subject = 1;
    if (fresh) stream.allow_direct = stream.deny_delete = true;
    if (options.limit_markers) {
        stream.allow_msg_ttl = true;
        stream.subject_delete_marker_ttl = options.limit_markers;
    }
    if (options.mirror) {
        stream.mirror = options.mirror;
        stream.mirror->name = stream_of(options.mirror->name);
        if (fresh) stream.mirror_direct = true;
        return stream;
    }
    stream.subjects = {keys_of(bucket)};
    for (const auto& source : options.sources) stream.sources.push_back(source_of(source, bucket));
    return stream;
}

}  // namespace freshet::detail
