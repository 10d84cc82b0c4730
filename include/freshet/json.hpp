// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <freshet/detail/json/fields.hpp>
#include <freshet/detail/json/macros.hpp>
#include <freshet/error.hpp>
#include <freshet/text.hpp>

/// Makes a struct or class a body, as a JSON object (and MessagePack and CBOR) with these fields:
///
///     FRESHET_JSON(Order, id, (quantity, or_default), (customer_id, "customerId"), note);
///
/// Write it beside the type, in its namespace, after its definition; or within the class, for private members:
/// `friend FRESHET_JSON(Order, id_, ...);`. It takes up to 64 fields, and may have none.
/// A field must be in the input, unless it is a std::optional or an owning pointer, or says `or_default`. An empty
/// optional or pointer is not written, and null reads as an empty one. Members of the input that are not listed are
/// ignored.
/// A field may be: bool, integers, float and double, std::string, enums, durations, times of std::chrono::system_clock,
/// types with FRESHET_JSON, FRESHET_ENUM or freshet::JsonAs; and std::optional, std::unique_ptr, std::shared_ptr,
/// std::array, std::pair, std::tuple, std::variant, sequences (vector, deque, set...) of all of those, and maps to them
/// from strings, integers or enums.
/// A member that is left out is an error of the compiler, where it can count: in aggregates. If some members are not to
/// travel, write FRESHET_JSON_PARTIAL.
/// For readers of descriptions (docs/describe.md), `about("...")` and `example(...)` may stand beside a field, and
/// `about("...")` beside the type: `FRESHET_JSON((Order, about("An order")), (id, about("Its number"),
/// example("a1")));`.
#define FRESHET_JSON(Type, ...)                                                                                        \
    FRESHET_PP_JSON(FRESHET_PP_TYPE(FRESHET_PP_UNWRAP(Type)), FRESHET_PP_OWN(FRESHET_PP_UNWRAP(Type)), __VA_ARGS__)

/// Makes a struct or class a body, as FRESHET_JSON does, but only with some of its members: the others are neither
/// written nor read, and keep the defaults that the type gives them.
#define FRESHET_JSON_PARTIAL(Type, ...)                                                                                \
    FRESHET_PP_PARTIAL(FRESHET_PP_TYPE(FRESHET_PP_UNWRAP(Type)), FRESHET_PP_OWN(FRESHET_PP_UNWRAP(Type)), __VA_ARGS__)

/// Makes the values of an enum travel as strings instead of integers:
/// `FRESHET_ENUM(Status, open, (in_progress, "in-progress"));`. Write it beside the enum, in its namespace, after its
/// definition.
#define FRESHET_ENUM(Type, ...)                                                                                        \
    constexpr auto freshet_enum_names [[maybe_unused]] (::freshet::detail::For<Type>) {                                \
        return ::freshet::detail::EnumNames{FRESHET_PP_LIST(FRESHET_PP_ENUM_NAME, Type, __VA_ARGS__)};                 \
    }                                                                                                                  \
    static_assert(true)

/// Makes an additional member tell which alternative of a std::variant an object is:
///
///     using Event = std::variant<Created, Deleted>;
///     FRESHET_VARIANT(Event, "type", (Created, "created"), (Deleted, "deleted"));
///
/// A Created is then written as {"type":"created",...}. Write it in the namespace of one of the alternatives. They must
/// be types with FRESHET_JSON, or aggregates under freshet::glaze. A variant with two alternatives that are objects
/// needs it.
///
/// If the variant is the whole body of messages that handlers take, something beside the body may tell which
/// alternative it is; the alternatives then have any codec, and nothing is added to them:
///
///     FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"));
///     FRESHET_VARIANT(Event, freshet::by_path("kind"), (Created, "created"), (Deleted, "deleted"));
///     FRESHET_VARIANT(Event, freshet::by_decoding);  // the first alternative that decodes, in their order
#define FRESHET_VARIANT(Type, key, ...)                                                                                \
    constexpr auto freshet_variant [[maybe_unused]] (::freshet::detail::For<Type>) {                                   \
        return ::freshet::detail::variant_names(key __VA_OPT__(, )                                                     \
                                                    FRESHET_PP_LIST(FRESHET_PP_ALTERNATIVE, Type, __VA_ARGS__));       \
    }                                                                                                                  \
    static_assert(true)

#define FRESHET_PP_JSON(Type, own, ...)                                                                                \
    constexpr auto freshet_fields [[maybe_unused]] (::freshet::detail::For<Type>) {                                    \
        FRESHET_PP_CHOICES;                                                                                            \
        constexpr auto freshet_listed = FRESHET_PP_FIELD_LIST(Type, own, __VA_ARGS__);                                 \
        static_assert(!::freshet::detail::has_more_members<Type>(freshet_listed),                                      \
                      "freshet: FRESHET_JSON leaves out a member of this type, which would not travel: add it to the " \
                      "list, or write FRESHET_JSON_PARTIAL if that is meant. See docs/codecs.md#left-out-members");    \
        return freshet_listed;                                                                                         \
    }                                                                                                                  \
    static_assert(true)
#define FRESHET_PP_PARTIAL(Type, own, ...)                                                                             \
    constexpr auto freshet_fields [[maybe_unused]] (::freshet::detail::For<Type>) {                                    \
        FRESHET_PP_CHOICES;                                                                                            \
        return FRESHET_PP_FIELD_LIST(Type, own, __VA_ARGS__);                                                          \
    }                                                                                                                  \
    static_assert(true)
#define FRESHET_PP_FIELD_LIST(Type, own, ...)                                                                          \
    ::freshet::detail::field_list(own __VA_OPT__(, ) FRESHET_PP_LIST(FRESHET_PP_FIELD, Type, __VA_ARGS__))
// What may stand beside a field.
#define FRESHET_PP_CHOICES using ::freshet::or_default, ::freshet::about, ::freshet::example
#define FRESHET_PP_TYPE(...) FRESHET_PP_TYPE_OF(__VA_ARGS__, )
#define FRESHET_PP_TYPE_OF(Type, ...) Type
#define FRESHET_PP_OWN(...) FRESHET_PP_OWN_OF(__VA_ARGS__)
#define FRESHET_PP_OWN_OF(Type, ...) ::freshet::detail::own_facts(__VA_ARGS__)
#define FRESHET_PP_FIELD(Type, name, ...) ::freshet::detail::field<&Type::name>(#name __VA_OPT__(, ) __VA_ARGS__)
#define FRESHET_PP_ALTERNATIVE(Type, name, ...)                                                                        \
    ::freshet::detail::alternative_name<Type, name>(#name __VA_OPT__(, ) __VA_ARGS__)
#define FRESHET_PP_ENUM_NAME(Type, name, ...) ::freshet::detail::enum_name(Type::name, #name __VA_OPT__(, ) __VA_ARGS__)

namespace freshet {

/// Customisation point: how a type that is not an object of named fields travels within JSON, as a value of another
/// type that has a codec.
///
///     template <> struct freshet::JsonAs<Money> {
///         static std::string encode(const Money& money);
///         static freshet::Expected<Money> decode(const std::string& text);
///     };
template <class T>
struct JsonAs {};

/// An enum with FRESHET_ENUM as the token of a subject or the value of a header: one of its names.
template <detail::HasEnumNames T>
struct FromText<T> {
    static std::optional<T> parse(std::string_view text) noexcept {
        for (const auto& name : detail::enum_names_of<T>.list) {
            if (name.name == text) return static_cast<T>(name.value);
        }
        return std::nullopt;
    }
};

}  // namespace freshet
