// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/argument.hpp>

namespace freshet::detail {

bool read_fields(Context& from, std::span<const ReadField> fields, void* arguments, std::optional<Error>& error) {
    struct Target {
        std::span<const ReadField> fields;
        void* arguments;
    } target{fields, arguments};
    const auto read = [](JsonReader& in, const JsonNode& root, void* out) {
        const auto& to = *static_cast<const Target*>(out);
        return in.read_object(root, to.arguments, to.fields);
    };
    try {
        const auto format = body_format(ContextAccess::content_type(from));
        if (!format) {
            error.emplace(format.error());
            return false;
        }
        auto done = read_body(body_of(from.message()), *format, read, &target);
        if (!done) error.emplace(std::move(done).error());
        return done.has_value();
    } catch (...) {
        error.emplace(decode_exception());
        return false;
    }
}

}  // namespace freshet::detail
