// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <freshet/js/stream.hpp>

namespace freshet::js {

/// Names the stream of a subscriber: by its name only, or by a js::Stream. freshet declares a js::Stream when the
/// subscriber starts, and again when a restarted server has lost it.
class StreamRef {
public:
    StreamRef() = default;
    StreamRef(std::string name) : name_{std::move(name)} {}
    StreamRef(const char* name) : name_{name} {}
    StreamRef(Stream stream) : name_{stream.name}, stream_{std::move(stream)} {}

    /// Returns the name of the stream.
    const std::string& name() const noexcept { return name_; }
    /// Returns the stream to declare; nothing if only a name was given.
    const std::optional<Stream>& stream() const noexcept { return stream_; }

private:
    std::string name_ = {};
    std::optional<Stream> stream_ = {};
};

}  // namespace freshet::js
