// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/detail/json/reader.hpp>

namespace freshet::detail {

/// An array of nodes with room for the most that a body can have. Memory beyond the nodes in use is never touched.
class JsonNodes {
public:
    /// Removes all nodes and makes room for `most`.
    void begin(std::size_t most) {
        if (capacity_ < most) grow(most);
        next_ = first();
    }

    std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - first()); }
    JsonNode& operator[](std::size_t index) noexcept { return first()[index]; }
    void push_back(const JsonNode& node) noexcept { *next_++ = node; }
    std::size_t memory() const noexcept { return capacity_ * sizeof(JsonNode); }

private:
    void grow(std::size_t most);
    JsonNode* first() const noexcept { return reinterpret_cast<JsonNode*>(storage_.get()); }

    std::unique_ptr<std::byte[]> storage_ = {};
    std::size_t capacity_ = 0;
    JsonNode* next_ = nullptr;
};

/// A parsed body: nodes, and the texts that differ from what the body has, such as strings with escapes.
struct JsonDocument {
    std::string_view input = {};  // the body; a NUL follows it
    JsonNodes nodes = {};
    std::string text = {};
    std::string copy = {};  // the body, if no NUL follows the original
    std::string error = {};
    std::size_t depth = 0;

    void begin(std::string_view body, std::size_t most_nodes) {
        input = body;
        nodes.begin(most_nodes);
        text.clear();
        depth = 0;
    }

    /// Records the reason of a failure. Returns false, for the caller to pass on.
    bool fail(std::string what) {
        error = std::move(what);
        return false;
    }

    void add(const JsonNode& node) noexcept { nodes.push_back(node); }

    /// Returns the place of `part`, which must be a piece of the input.
    JsonNode::Range in_input(std::string_view part) const noexcept {
        return {static_cast<std::uint32_t>(part.data() - input.data()), static_cast<std::uint32_t>(part.size())};
    }

    /// Returns the place of everything in `text` from `offset` on.
    JsonNode::Range in_text(std::size_t offset) const noexcept {
        return {static_cast<std::uint32_t>(offset) | JsonNode::Range::in_text,
                static_cast<std::uint32_t>(text.size() - offset)};
    }
    /// Appends to `text`. Returns the place.
    JsonNode::Range store(std::string_view made) {
        const auto offset = text.size();
        text.append(made);
        return in_text(offset);
    }

    /// Begins an array or object; the caller then adds its contents and calls `close`. Fails if too many are open.
    bool open(JsonKind kind) {
        if (depth == max_json_depth) return fail_too_deep();
        ++depth;
        add({.kind = kind, .count = 0});
        return true;
    }
    bool fail_too_deep();
    /// Ends the array or object whose index in `nodes` is `node`.
    void close(std::size_t node, std::size_t count) noexcept {
        --depth;
        nodes[node].span = static_cast<std::uint32_t>(nodes.size() - node);
        nodes[node].count = static_cast<std::uint32_t>(count);
    }
};

/// Returns the largest number of nodes that a body of `body` bytes can have. In MessagePack and CBOR each value has at
/// least one byte. In JSON each value but the first also has a comma, a colon or a pair of brackets; a broken text
/// lacks one bracket for each array or object that it leaves open.
inline std::size_t most_nodes(Format format, std::size_t body) noexcept {
    return format == Format::json ? (body + max_json_depth) / 2 + 1 : body;
}

/// Parse the whole `input` into `nodes`, with the root as the first node. On failure, `error` has the reason.
bool parse_json(JsonDocument& document);
bool parse_messagepack(JsonDocument& document);
bool parse_cbor(JsonDocument& document);

}  // namespace freshet::detail
