// SPDX-License-Identifier: Apache-2.0
// What handlers and sources say of themselves.
#include <freshet/detail/handler_shape.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/source_description.hpp>

namespace freshet {

const char* to_string(SourceKind kind) noexcept {
    switch (kind) {
        case SourceKind::core: return "core";
        case SourceKind::pull: return "pull";
        case SourceKind::push: return "push";
        case SourceKind::ordered: return "ordered";
        case SourceKind::key_value: return "key_value";
        case SourceKind::object_store: return "object_store";
        case SourceKind::other: return "other";
    }
    return "other";
}

namespace detail {

void HandlerBase::describe(std::vector<const HandlerShape*>& shapes) const { shapes.push_back(shape_); }

void Source::describe(SourceDescription& description) const { description.kind = SourceKind::other; }

}  // namespace detail
}  // namespace freshet
