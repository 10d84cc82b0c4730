// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/detail/json/reader.hpp>

#include "base/utf8.hpp"

namespace freshet::detail {
namespace {

std::string_view name_of(Format format) noexcept {
    switch (format) {
        case Format::messagepack: return "MessagePack";
        case Format::cbor: return "CBOR";
        default: return "JSON";
    }
}

/// Shortens nlohmann's error text: leaves out its identifier, its way to tell the place, and the input that it repeats.
/// "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while parsing value - invalid
/// literal; last read: 'nul}'; expected '['" becomes "invalid literal; expected '['".
std::string reason_of(std::string_view what) {
    for (const std::string_view mark : {"] ", ": ", " - "}) {
        const auto found = what.find(mark);
        if (found != std::string_view::npos) what.remove_prefix(found + mark.size());
    }
    const auto begin = what.find("; last read: '");
    if (begin == std::string_view::npos) return std::string{what};
    const auto end = what.rfind("'; expected ");
    return std::string{what.substr(0, begin)}.append(end == std::string_view::npos || end < begin
                                                         ? ""
                                                         : what.substr(end + 1));
}

struct Document {
    std::vector<JsonNode> nodes = {};
    std::string text = {};
    std::vector<std::uint32_t> open = {};  // the arrays and objects that the parser is in

    void clear() {
        nodes.clear();
        text.clear();
        open.clear();
    }
    std::size_t memory() const { return nodes.capacity() * sizeof(JsonNode) + text.capacity(); }
};

/// Lends a thread its document, which is kept from one body to the next so that it allocates rarely. A body that is
/// read while another one is being read gets a new document.
class DocumentLease {
public:
    DocumentLease() {
        if (!ended) document_ = std::exchange(spare.document, {});
        document_.clear();
    }
    DocumentLease(const DocumentLease&) = delete;
    DocumentLease& operator=(const DocumentLease&) = delete;
    ~DocumentLease() {
        if (!ended && document_.memory() <= kept_memory) spare.document = std::move(document_);
    }
    Document& operator*() noexcept { return document_; }

private:
    static constexpr std::size_t kept_memory = std::size_t{1} << 20;
    struct Spare {
        Document document = {};
        ~Spare() { ended = true; }
    };
    // True when the spare is gone: statics are destroyed after the main thread's objects, and may read bodies.
    static constinit inline thread_local bool ended = false;
    static thread_local Spare spare;

    Document document_ = {};
};

thread_local DocumentLease::Spare DocumentLease::spare;

/// Receives the events of nlohmann's parsers. A false result ends the parsing.
class Builder {
public:
    Builder(Document& document, Format format) noexcept : document_{document}, format_{format} {}

    const std::string& error() const noexcept { return error_; }

    bool null() { return add({.kind = JsonKind::null, .integer = 0}); }
    bool boolean(bool value) { return add({.kind = JsonKind::boolean, .boolean = value}); }
    bool number_integer(std::int64_t value) { return add({.kind = JsonKind::integer, .integer = value}); }
    bool number_unsigned(std::uint64_t value) { return add({.kind = JsonKind::natural, .natural = value}); }
    bool number_float(double value, const std::string&) { return add({.kind = JsonKind::real, .real = value}); }
    bool string(const std::string& value) {
        return check(value) && add({.kind = JsonKind::text, .range = store(value)});
    }
    bool binary(const nlohmann::json::binary_t& value) {
        const std::string_view bytes{reinterpret_cast<const char*>(value.data()), value.size()};
        return add({.kind = JsonKind::binary, .range = store(bytes)});
    }

    bool start_array(std::size_t) { return start({.kind = JsonKind::array, .count = 0}); }
    bool end_array() { return end(); }
    bool start_object(std::size_t) { return start({.kind = JsonKind::object, .count = 0}); }
    bool end_object() { return end(); }
    bool key(const std::string& name) {
        if (!check(name)) return false;
        document_.nodes.push_back({.kind = JsonKind::text, .range = store(name)});
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error);

private:
    bool fail(std::string what) {
        error_ = std::move(what);
        return false;
    }

    // nlohmann checks JSON only.
    bool check(std::string_view text) {
        return format_ == Format::json || valid_utf8(text) || fail("a string is not UTF-8");
    }

    JsonNode::Range store(std::string_view text) {
        const auto offset = static_cast<std::uint32_t>(document_.text.size());
        document_.text.append(text);
        return {offset, static_cast<std::uint32_t>(text.size())};
    }

    bool add(const JsonNode& node) {
        if (!document_.open.empty()) ++document_.nodes[document_.open.back()].count;
        document_.nodes.push_back(node);
        return true;
    }

    bool start(const JsonNode& node) {
        if (document_.open.size() == max_json_depth)
            return fail(fmt::format("it nests deeper than {} levels", max_json_depth));
        add(node);
        document_.open.push_back(static_cast<std::uint32_t>(document_.nodes.size() - 1));
        return true;
    }

    bool end() {
        const std::uint32_t begin = document_.open.back();
        document_.open.pop_back();
        document_.nodes[begin].span = static_cast<std::uint32_t>(document_.nodes.size()) - begin;
        return true;
    }

    Document& document_;
    Format format_;
    std::string error_ = {};
};

bool Builder::parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    error_ = fmt::format("not valid {} at byte {}: {}", name_of(format_), position, reason_of(error.what()));
    return false;
}

nlohmann::json::input_format_t input_format(Format format) noexcept {
    switch (format) {
        case Format::messagepack: return nlohmann::json::input_format_t::msgpack;
        case Format::cbor: return nlohmann::json::input_format_t::cbor;
        default: return nlohmann::json::input_format_t::json;
    }
}

Expected<void> parse(Bytes in, Format format, Document& document) {
    if (in.empty()) return failure(Errc::bad_payload, fmt::format("the body is empty; expected {}", name_of(format)));
    if (in.size() > std::numeric_limits<std::uint32_t>::max() / 2)
        return failure(Errc::bad_payload, "the body is larger than 2 GiB");
    Builder builder{document, format};
    const std::string_view text = as_text(in);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder, input_format(format)))
        return failure(Errc::bad_payload, builder.error());
    // nlohmann takes a NUL for the end of the text, whatever follows. JSON contains no NUL: strings escape it.
    const auto nul = format == Format::json ? text.find('\0') : std::string_view::npos;
    if (nul != std::string_view::npos)
        return failure(Errc::bad_payload, fmt::format("not valid JSON at byte {}: a NUL character", nul + 1));
    return {};
}

}  // namespace

Expected<void> read_body(Bytes in, Format format, bool (*read)(JsonReader&, const JsonNode&, void*), void* out) {
    DocumentLease document;
    if (auto parsed = parse(in, format, *document); !parsed) return parsed;
    JsonReader reader{(*document).text};
    if (read(reader, (*document).nodes.front(), out)) return {};
    return failure(Errc::bad_payload, reader.message());
}

}  // namespace freshet::detail
