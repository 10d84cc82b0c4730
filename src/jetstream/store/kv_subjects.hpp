// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/store/kv_bucket.hpp"

namespace freshet::detail {

/// Returns the name of the bucket that has the keys: this one, or the one that it mirrors.
inline std::string_view origin_of(const js::StreamInfo& info) {
    std::string_view name = info.config.mirror ? info.config.mirror->name : info.config.name;
    if (name.starts_with(kv_stream_prefix)) name.remove_prefix(kv_stream_prefix.size());
    return name;
}

/// Appends `before` and the subject under which a key is stored.
inline void append_subject(std::string& out, std::string_view before, const js::StreamInfo& info,
                           std::string_view key) {
    out.append(before).append("$KV.").append(origin_of(info)).append(".").append(key);
}

inline std::string subject_of(const js::StreamInfo& info, std::string_view key) {
    std::string subject;
    append_subject(subject, "", info, key);
    return subject;
}

/// Returns the subjects of the filters. Without a filter: the subject of every key, because the server needs one.
inline std::vector<std::string> subjects_of(const js::StreamInfo& info, const std::vector<std::string>& filters) {
    if (filters.empty()) return {subject_of(info, ">")};
    std::vector<std::string> subjects;
    for (const auto& filter : filters) subjects.push_back(subject_of(info, filter));
    return subjects;
}

}  // namespace freshet::detail
