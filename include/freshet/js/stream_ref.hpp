// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <freshet/js/stream.hpp>

namespace freshet::js {

/// The stream of a subscriber: only its name, or a Stream that is declared when the subscriber starts, and again when a restarted
/// server has lost it.
class StreamRef {
public:
    StreamRef() = default;
    StreamRef(std::string name) : name_{std::move(name)} {}
    StreamRef(const char* name) : name_{name} {}
    StreamRef(Stream stream) : name_{stream.name}, stream_{std::move(stream)} {}

    const std::string& name() const noexcept { return name_; }
    const std::optional<Stream>& stream() const noexcept { return stream_; }

private:
    std::string name_ = {};
    std::optional<Stream> stream_ = {};
};

}  // namespace freshet::js
