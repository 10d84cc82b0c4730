// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/detail/json/reader.hpp>

#include "base/per_thread.hpp"
#include "codec/json_document.hpp"

namespace freshet::detail {
namespace {

/// Lends a thread its document, which is kept from one body to the next so that it allocates rarely. A body that is
/// read while another one is being read gets a new document.
class DocumentLease {
public:
    DocumentLease() {
        document_.swap(Spare::get());
        if (document_ == nullptr) document_ = std::make_unique<JsonDocument>();
    }
    DocumentLease(const DocumentLease&) = delete;
    DocumentLease& operator=(const DocumentLease&) = delete;
    ~DocumentLease() {
        const auto memory = document_->nodes.memory() + document_->text.capacity() + document_->copy.capacity();
        if (memory <= kept_memory) Spare::get() = std::move(document_);
    }
    JsonDocument& operator*() noexcept { return *document_; }

private:
    using Spare = PerThread<std::unique_ptr<JsonDocument>>;
    static constexpr std::size_t kept_memory = std::size_t{1} << 20;

    std::unique_ptr<JsonDocument> document_ = {};
};

std::string_view name_of(Format format) noexcept {
    switch (format) {
        case Format::messagepack: return "MessagePack";
        case Format::cbor: return "CBOR";
        default: return "JSON";
    }
}

bool parse(Format format, JsonDocument& document) {
    if (document.input.empty()) return document.fail(fmt::format("the body is empty; expected {}", name_of(format)));
    if (document.input.size() > std::numeric_limits<std::uint32_t>::max() / 2)
        return document.fail("the body is larger than 2 GiB");
    switch (format) {
        case Format::messagepack: return parse_messagepack(document);
        case Format::cbor: return parse_cbor(document);
        default: return parse_json(document);
    }
}

}  // namespace

void JsonNodes::grow(std::size_t most) {
    storage_ = std::make_unique_for_overwrite<std::byte[]>(most * sizeof(JsonNode));
    capacity_ = most;
}

bool JsonDocument::fail_too_deep() { return fail(fmt::format("the body nests deeper than {} levels", max_json_depth)); }

Expected<void> read_body(Body in, Format format, bool (*read)(JsonReader&, const JsonNode&, void*), void* out) {
    DocumentLease lease;
    JsonDocument& document = *lease;
    if (!in.terminated) document.copy.assign(as_text(in.bytes));
    document.begin(in.terminated ? as_text(in.bytes) : document.copy, most_nodes(format, in.bytes.size()));
    if (!parse(format, document)) return failure(Errc::bad_payload, document.error);
    JsonReader reader{document.input, document.text};
    if (read(reader, document.nodes[0], out)) return {};
    return failure(Errc::bad_payload, reader.message());
}

}  // namespace freshet::detail
