// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/slots.hpp>
#include <freshet/detail/subject_tokens.hpp>

namespace freshet {
template <auto Function>
class Depends;
}

namespace freshet::detail {

enum class ArgumentKind : std::uint8_t {
    context,
    message,
    logger,
    broker,
    stop_token,
    depends,
    extracted,
    field,
    text,
    bytes,
    named_body,  // one of several types, which a header or the subject names
    body,
    unknown,
};

template <class V>
inline constexpr bool is_depends = false;
template <auto Function>
inline constexpr bool is_depends<Depends<Function>> = true;

/// The description of a parameter Field; for any other, `value` is false.
template <class V>
struct FieldParameter {
    static constexpr bool value = false;
};
template <FixedString Name, class T, DefaultValue... Default>
struct FieldParameter<Field<Name, T, Default...>> {
    static constexpr bool value = true;
    static constexpr bool in_json = is_json<T, Direction::read>();
    static constexpr bool fits = fits_default<T, Default...>;
    static constexpr bool required = !is_nullable<T> && !has_default<Default...>;
    static constexpr std::string_view name = Name.view();
    static T initial() { return make_default<T, Default...>(); }
};
template <class A>
inline constexpr bool is_field = FieldParameter<std::remove_cvref_t<A>>::value;

template <class V>
consteval ArgumentKind kind_of_value() {
    if constexpr (std::is_same_v<V, Context>) return ArgumentKind::context;
    else if constexpr (std::is_same_v<V, Message>) return ArgumentKind::message;
    else if constexpr (std::is_same_v<V, Logger>) return ArgumentKind::logger;
    else if constexpr (std::is_same_v<V, Broker>) return ArgumentKind::broker;
    else if constexpr (std::is_same_v<V, std::stop_token>) return ArgumentKind::stop_token;
    else if constexpr (is_depends<V>) return ArgumentKind::depends;
    else if constexpr (is_field<V>) return ArgumentKind::field;
    else if constexpr (Extractable<V>) return ArgumentKind::extracted;
    else if constexpr (std::is_same_v<V, std::string_view>) return ArgumentKind::text;
    else if constexpr (std::is_same_v<V, Bytes>) return ArgumentKind::bytes;
    else if constexpr (NamedBody<V>) return ArgumentKind::named_body;
    else if constexpr (Decodable<V>) return ArgumentKind::body;
    else return ArgumentKind::unknown;
}

template <class A>
inline constexpr ArgumentKind argument_kind = kind_of_value<std::remove_cvref_t<A>>();

/// True for parameters that are the body of the message. A type without a codec counts, since it was meant as a body.
template <class A>
inline constexpr bool is_body = argument_kind<A> >= ArgumentKind::text;

struct NoPlan {};

/// Takes one parameter of type A from a delivery and gives it to the handler. When `take` returns false, `error` says
/// why.
template <class A, ArgumentKind Kind = argument_kind<A>>
struct Argument;

template <class A>
struct Argument<A, ArgumentKind::context> {
    using Plan = NoPlan;
    Context* context = nullptr;
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        context = &from;
        return true;
    }
    Context& give() { return *context; }
};

template <class A>
struct Argument<A, ArgumentKind::message> {
    using Plan = NoPlan;
    const Message* message = nullptr;
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        message = &from.message();
        return true;
    }
    const Message& give() { return *message; }
};

template <class A>
struct Argument<A, ArgumentKind::logger> {
    using Plan = NoPlan;
    Logger* logger = nullptr;
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        logger = &from.logger();
        return true;
    }
    Logger& give() { return *logger; }
};

template <class A>
struct Argument<A, ArgumentKind::broker> {
    using Plan = NoPlan;
    Broker* broker = nullptr;
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        broker = &from.broker();
        return true;
    }
    Broker& give() { return *broker; }
};

template <class A>
struct Argument<A, ArgumentKind::stop_token> {
    using Plan = NoPlan;
    std::stop_token token = {};
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        token = ContextAccess::stop_token(from);
        return true;
    }
    std::stop_token give() { return std::move(token); }
};

template <class A>
struct Argument<A, ArgumentKind::text> {
    using Plan = NoPlan;
    std::string_view text = {};
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        text = from.message().text();
        return true;
    }
    std::string_view give() { return text; }
};

template <class A>
struct Argument<A, ArgumentKind::bytes> {
    using Plan = NoPlan;
    Bytes bytes = {};
    bool take(NoPlan, Context& from, std::optional<Error>&) {
        bytes = from.message().payload();
        return true;
    }
    Bytes give() { return bytes; }
};

/// Gives a parameter that is held as a value to the handler: as an lvalue to `const T&`, moved into `T`.
template <class A, class V>
decltype(auto) give_held(V& held) {
    if constexpr (std::is_lvalue_reference_v<A>) return static_cast<V&>(held);
    else return std::move(held);
}

template <class A>
struct Argument<A, ArgumentKind::body> {
    using Plan = NoPlan;
    std::remove_cvref_t<A> value = {};
    bool take(NoPlan, Context& from, std::optional<Error>& error) {
        auto decoded = decode_body(body_of(from.message()), ContextAccess::content_type(from), value);
        if (!decoded) error.emplace(std::move(decoded).error());
        return decoded.has_value();
    }
    decltype(auto) give() { return give_held<A>(value); }
};

/// Returns which token of the subject names the type of a body that is a T, from 0; 0 if a header does.
template <NamedBody T>
std::size_t bind_named_body(Binder& binder) {
    if constexpr (HeaderBody<T>) return 0;
    else return find_naming_token(binder, body_key<T>.name);
}

/// Decodes a body whose type a header names, or the token of the subject that bind_named_body found.
template <NamedBody T>
Expected<void> decode_named_body(const Message& message, std::string_view content_type, std::size_t token, T& out) {
    const auto name = [&]() -> std::optional<std::string_view> {
        if constexpr (HeaderBody<T>) return message.header(body_key<T>.name);
        else return token_at(message.subject(), token);
    }();
    return decode_named(body_of(message), content_type, message.subject(), name, out);
}

template <class A>
struct Argument<A, ArgumentKind::named_body> {
    using Value = std::remove_cvref_t<A>;
    using Plan = std::size_t;
    Value value = {};
    static Plan bind(Binder& binder) { return bind_named_body<Value>(binder); }
    bool take(Plan token, Context& from, std::optional<Error>& error) {
        auto decoded = decode_named_body(from.message(), ContextAccess::content_type(from), token, value);
        if (!decoded) error.emplace(std::move(decoded).error());
        return decoded.has_value();
    }
    decltype(auto) give() { return give_held<A>(value); }
};

template <class V>
struct PlanOf {
    using Type = NoPlan;
};
template <class V>
    requires requires { typename Extractor<V>::Plan; }
struct PlanOf<V> {
    using Type = typename Extractor<V>::Plan;
};

template <class A>
struct Argument<A, ArgumentKind::extracted> {
    using Value = std::remove_cvref_t<A>;
    using Plan = typename PlanOf<Value>::Type;
    std::optional<Value> value = {};
    bool take(const Plan& plan, Context& from, std::optional<Error>& error) {
        auto extracted = [&] {
            if constexpr (std::is_same_v<Plan, NoPlan>) return Extractor<Value>::extract(from);
            else return Extractor<Value>::extract(plan, from);
        }();
        if (extracted) value.emplace(*std::move(extracted));
        else error.emplace(std::move(extracted).error());
        return value.has_value();
    }
    decltype(auto) give() { return give_held<A>(*value); }
};

/// A member of the body. take_fields() reads the members of all such parameters at once.
template <class A>
struct Argument<A, ArgumentKind::field> {
    using Value = std::remove_cvref_t<A>;
    using Plan = NoPlan;
    Value field{FieldParameter<Value>::initial()};
    bool take(NoPlan, Context&, std::optional<Error>&) { return true; }
    decltype(auto) give() { return give_held<A>(field); }
};

/// The values of a call's parameters, and what is known beforehand of how to take them.
template <class... A>
using TakenArguments = Slots<Argument<A>...>;
template <class... A>
using ArgumentPlans = Slots<typename Argument<A>::Plan...>;

template <class Taken, std::size_t I>
bool read_parameter(JsonReader& in, const JsonNode& node, void* arguments) {
    return read_json(in, node, slot<I>(*static_cast<Taken*>(arguments)).field.value);
}

template <class... A>
consteval bool distinct_fields() {
    constexpr std::size_t count = (std::size_t{is_field<A>} + ... + 0);
    std::array<std::string_view, count> names;
    std::size_t next = 0;
    const auto add = [&]<class One>() {
        if constexpr (is_field<One>) names[next++] = FieldParameter<std::remove_cvref_t<One>>::name;
    };
    (add.template operator()<A>(), ...);
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (names[i] == names[j]) return false;
    return true;
}

template <class... A, std::size_t... I>
consteval auto parameter_fields(std::index_sequence<I...>) {
    std::array<ReadField, (std::size_t{is_field<A>} + ...)> fields{};
    std::size_t next = 0;
    const auto add = [&]<class One, std::size_t Index>() {
        using Parameter = FieldParameter<std::remove_cvref_t<One>>;
        if constexpr (Parameter::value)
            fields[next++] = {Parameter::name, Parameter::required, &read_parameter<TakenArguments<A...>, Index>};
    };
    (add.template operator()<A, I>(), ...);
    return fields;
}

/// Reads the members of an object that the parameters Field name, from the body of the delivery.
bool read_fields(Context& from, std::span<const ReadField> fields, void* arguments, std::optional<Error>& error);

template <class... A>
inline constexpr bool takes_fields = (is_field<A> || ... || false);

/// Reads the members of the body that the parameters Field of a call name, all at once. When it returns false, `error`
/// says why.
template <class... A, std::size_t... I>
bool take_fields(TakenArguments<A...>& arguments, Context& context, std::optional<Error>& error,
                 std::index_sequence<I...> indices) {
    static_assert(distinct_fields<A...>(),
                  "freshet: two parameters are the same field of the body; take it once. See docs/handlers.md#fields");
    static constexpr auto fields = parameter_fields<A...>(indices);
    return read_fields(context, fields, &arguments, error);
}

template <class A>
typename Argument<A>::Plan bind_argument(Binder& binder) {
    if constexpr (std::is_same_v<typename Argument<A>::Plan, NoPlan>) return {};
    else if constexpr (argument_kind<A> != ArgumentKind::extracted) return Argument<A>::bind(binder);
    else return Extractor<std::remove_cvref_t<A>>::bind(binder);
}
template <class... A>
ArgumentPlans<A...> bind_arguments([[maybe_unused]] Binder& binder) {
    return {{bind_argument<A>(binder)}...};
}

}  // namespace freshet::detail
