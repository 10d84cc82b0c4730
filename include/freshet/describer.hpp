// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <freshet/codec.hpp>
#include <freshet/detail/traits.hpp>

namespace freshet {

namespace detail {

struct HandlerShape;

enum class ParameterKind : std::uint8_t {
    nothing,    ///< it takes nothing of the message that others send: Context, Logger, Inject...
    message,    ///< the message as it is: it may read anything
    path,       ///< the token `name`
    header,     ///< the header `name`
    body,       ///< the body
    batch,      ///< the bodies of several messages
    nested,     ///< what the parameters of another function take
    described,  ///< what `describe` says
    unknown,    ///< an Extractor of the user's that says nothing
};

}  // namespace detail

/// Is told by `static void describe(Describer&)` of an Extractor what the extractor takes from a message, for
/// descriptions (docs/describe.md).
class Describer {
public:
    Describer() = default;
    Describer(const Describer&) = delete;
    Describer& operator=(const Describer&) = delete;

    /// Says that it takes a header, which is parsed to T. With std::optional<T> the header may be absent.
    template <class T = std::string_view>
    void header(std::string_view name) {
        if constexpr (detail::is_optional<T>) add_header(name, detail::text_shape<typename T::value_type>, false);
        else add_header(name, detail::text_shape<T>, true);
    }
    /// Says that it takes the token `{name}` of the subject, which is parsed to T.
    template <class T = std::string_view>
    void path(std::string_view name) {
        add_path(name, detail::text_shape<T>);
    }
    /// Says that it takes the body, as a T.
    template <class T>
    void body() {
        add_body(detail::body_shape<T, detail::Direction::read>);
    }

    virtual void add_header(std::string_view name, const detail::TypeShape& type, bool required) = 0;
    virtual void add_path(std::string_view name, const detail::TypeShape& type) = 0;
    virtual void add_body(const detail::BodyShape& body) = 0;

protected:
    ~Describer() = default;
};

namespace detail {

/// What a parameter of a function takes from a message.
struct ParameterShape {
    ParameterKind kind = ParameterKind::nothing;
    bool required = true;
    std::string_view name = {};            // of the token or the header; of the type that is not known
    const TypeShape* text = nullptr;       // of a token or a header
    const FieldFact* otherwise = nullptr;  // the value of a header that is absent
    const BodyShape* body = nullptr;
    const HandlerShape* nested = nullptr;
    void (*describe)(Describer& describer) = nullptr;
};

/// What a function takes from a message, and what it returns. There is one for each signature, in static storage.
struct HandlerShape {
    std::span<const ParameterShape> parameters = {};
    BodyShape result = {};
    bool has_result = false;  ///< it has something to answer and to publish, even if that is empty
    bool may_skip = false;    ///< it may decide to answer nothing: std::optional
};

}  // namespace detail
}  // namespace freshet
