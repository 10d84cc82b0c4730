// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <freshet/detail/argument.hpp>
#include <freshet/detail/batch_handler.hpp>
#include <freshet/detail/handler_shape.hpp>
#include <freshet/detail/result.hpp>
#include <freshet/detail/signature.hpp>
#include <freshet/detail/slots.hpp>
#include <freshet/subject.hpp>

namespace freshet::detail {

/// A pattern that is known only at run time: start() checks the names.
struct RuntimeSubject {
    static constexpr bool has(std::string_view) noexcept { return true; }
    static constexpr bool fills(std::string_view) noexcept { return true; }
};

template <class A>
inline constexpr bool taken_as_it_may_be = [] {
    constexpr auto kind = argument_kind<A>;
    if (kind <= ArgumentKind::broker) {
        constexpr bool read_only = kind == ArgumentKind::message;
        return std::is_lvalue_reference_v<A> && (!read_only || std::is_const_v<std::remove_reference_t<A>>);
    }
    return !std::is_lvalue_reference_v<A> || std::is_const_v<std::remove_reference_t<A>>;
}();

/// Returns true if A would be a body if it had a default constructor.
template <class A, class Value = std::remove_cvref_t<A>>
consteval bool lacks_default_only() {
    if constexpr (argument_kind<A> != ArgumentKind::unknown || std::default_initializable<Value>) return false;
    else return codec_of<Value, Direction::read>() != CodecKind::none;
}

template <class A, class Pattern>
inline constexpr bool path_known = true;
template <FixedString Name, class T, class Pattern, DefaultValue... Default>
inline constexpr bool path_known<Path<Name, T, Default...>, Pattern> =
    has_default<Default...> || Pattern::has(Name.view());

/// The type of a body: A, or what a batch A consists of.
template <class A, class Element = typename BatchElementOf<std::remove_cvref_t<A>>::Type>
using BodyValue = std::conditional_t<std::is_void_v<Element>, std::remove_cvref_t<A>, Element>;

/// False for a body whose type a parameter names that the pattern does not have.
template <class V, class Pattern>
consteval bool naming_token_known() {
    if constexpr (PathBody<V>) return Pattern::has(body_key<V>.name);
    else return true;
}

/// True if the dependencies of A can be made, too; see dependency.hpp.
template <class A, class Pattern>
inline constexpr bool dependency_ok = true;

/// True for an optional around a Header, where the optional belongs inside the Header.
template <class V>
inline constexpr bool optional_header = false;
template <FixedString Name, class T, DefaultValue... Default>
inline constexpr bool optional_header<std::optional<Header<Name, T, Default...>>> = true;

/// Returns true if a parameter Field can be read; see FieldParameter.
template <class Parameter>
consteval bool check_field() {
    if constexpr (!Parameter::value) {
        return true;
    } else {
        static_assert(
            Parameter::in_json,
            "freshet: Field<name, T> needs a T that a field of FRESHET_JSON may be: no view, and a type with a "
            "codec in JSON. See docs/handlers.md#fields");
        static_assert(Parameter::fits, FRESHET_BAD_DEFAULT);
        return Parameter::in_json && Parameter::fits;
    }
}

/// Checks a parameter, one assertion for each rule: the first line of the compiler's message is the rule, the note
/// below it names A.
template <class A, class Pattern>
consteval bool check_parameter() {
    constexpr bool known = argument_kind<A> != ArgumentKind::unknown;
    constexpr bool in_path = path_known<std::remove_cvref_t<A>, Pattern>;
    constexpr bool inside_out = optional_header<std::remove_cvref_t<A>>;
    static_assert(!inside_out,
                  "freshet: a header that may be absent is Header<name, std::optional<T>>, with the optional inside. "
                  "See docs/handlers.md#headers");
    static_assert(
        !lacks_default_only<A>(),
        "freshet: a message body needs a default constructor: it is made first, then its fields are read. See "
        "docs/handlers.md#parameters");
    static_assert(
        known || inside_out || lacks_default_only<A>(),
        "freshet: this handler parameter has no codec and no extractor. For a message body add FRESHET_JSON(Type, "
        "fields...) in its namespace, link freshet::glaze, or specialise freshet::Codec<T>; for an object given to "
        "broker.provide take freshet::Inject<T>; else specialise freshet::Extractor<T>. See "
        "docs/handlers.md#parameters");
    static_assert(
        !known || taken_as_it_may_be<A>,
        "freshet: take a body and extracted values by value or const&, a Message by const&, and Context, Logger "
        "and Broker by reference. See docs/handlers.md#parameters");
    constexpr bool named = naming_token_known<BodyValue<A>, Pattern>();
    static_assert(named,
                  "freshet: FRESHET_VARIANT of this body says by_path with a parameter that the subscriber's subject "
                  "does not have. See docs/codecs.md#one-of-several-types");
    constexpr bool routed = requires { Pattern::routed; };
    static_assert(in_path || routed,
                  "freshet: Path<name> names a parameter that the subscriber's subject does not have. See "
                  "docs/handlers.md#path");
    static_assert(
        in_path || !routed,
        "freshet: Path<name> names a parameter that neither the subscriber's subject nor its router's prefix has. "
        "For one of an outer router's prefix make the router with outer.router<\"...\">(). See "
        "docs/routers.md#prefixes");
    constexpr bool field = check_field<FieldParameter<std::remove_cvref_t<A>>>();
    return known && named && !inside_out && taken_as_it_may_be<A> && in_path && field &&
           dependency_ok<std::remove_cvref_t<A>, Pattern>;
}

template <class Pattern, class Result, class Arguments, bool Publishes>
struct CheckHandler;

template <class Pattern, class Result, class... A, bool Publishes>
struct CheckHandler<Pattern, Result, TypeList<A...>, Publishes> {
    static constexpr bool parameters_ok = (check_parameter<A, Pattern>() && ... && true);
    static constexpr bool one_body = (int{is_body<A>} + ... + 0) <= 1;
    static_assert(one_body,
                  "freshet: a handler takes one message body at most; the other parameters must be extractors such as "
                  "Path, Header or Inject. See docs/handlers.md#parameters");
    static constexpr bool whole_or_fields = !((is_body<A> || ... || false) && (is_field<A> || ... || false));
    static_assert(whole_or_fields,
                  "freshet: a handler takes the whole body or Fields of it, not both: put the fields into the body's "
                  "type, or take a Message for its text. See docs/handlers.md#fields");
    static constexpr bool called = !std::is_function_v<std::remove_pointer_t<Result>>;
    static_assert(called, "freshet: this handler returns a function instead of calling it: Outcome::nack() and "
                          "Outcome::term(\"why\") are functions. See docs/handlers.md#results");
    static_assert(
        !called || returnable<Result>,
        "freshet: the type this handler returns has no codec, so it can be neither answered nor published. Add "
        "FRESHET_JSON(Type, fields...) in its namespace, link freshet::glaze, or specialise freshet::Codec<T>. See "
        "docs/handlers.md#results");
    static_assert(!Publishes || carries_body<Result>,
                  "freshet: publish_to needs a handler that returns what to publish. See docs/handlers.md#results");
    static constexpr bool lives = result_lives<Result, TypeList<A...>>;
    static_assert(lives, FRESHET_VIEW_RESULT);
    static constexpr bool ok = parameters_ok && one_body && whole_or_fields && lives && returnable<Result> &&
                               (!Publishes || carries_body<Result>);
};

template <class F, class Result, class... A>
class TypedHandler final : public HandlerBase {
public:
    explicit TypedHandler(F handler)
        : HandlerBase{&handler_shape<Result(TypeList<A...>)>}, handler_{std::move(handler)} {}

    bool takes_body() const noexcept override { return ((is_body<A> || is_field<A>) || ... || false); }
    void bind(Binder& binder) override { plans_.emplace(bind_arguments<A...>(binder)); }

    Outcome invoke(Context& context) override {
        TakenArguments<A...> arguments;
        if constexpr ((is_depends<std::remove_cvref_t<A>> || ...)) {
            DependencyScope scope{context};
            return scope.end([&] { return call(arguments, context, std::index_sequence_for<A...>{}); });
        } else {
            return call(arguments, context, std::index_sequence_for<A...>{});
        }
    }

private:
    template <std::size_t... I>
    Outcome call(TakenArguments<A...>& arguments, Context& context, std::index_sequence<I...>) {
        std::optional<Error> error;
        if constexpr (takes_fields<A...>) {
            if (!take_fields(arguments, context, error, std::index_sequence<I...>{}))
                return ContextAccess::refuse(context, std::move(error));
        }
        if (!(slot<I>(arguments).take(slot<I>(*plans_), context, error) && ... && true))
            return ContextAccess::refuse(context, std::move(error));
        if constexpr (std::is_void_v<Result>) {
            handler_(slot<I>(arguments).give()...);
            return Outcome::ack;
        } else {
            return finish(context, handler_(slot<I>(arguments).give()...));
        }
    }

    F handler_;
    std::optional<ArgumentPlans<A...>> plans_ = {};
};

template <class F, class Result, class Arguments>
struct TypedHandlerFor;
template <class F, class Result, class... A>
struct TypedHandlerFor<F, Result, TypeList<A...>> {
    using Type = TypedHandler<F, Result, A...>;
};

/// Checks a handler against its subject's pattern and erases its types. Returns null, after a static_assert, if it
/// breaks a rule.
template <class Pattern, bool Publishes, class F>
std::unique_ptr<HandlerBase> make_handler(F&& handler) {
    using Callable = std::decay_t<F>;
    constexpr bool has_object = !std::is_member_function_pointer_v<Callable>;
    static_assert(has_object,
                  "freshet: a member function needs the object it is called on: .handle(&Type::function, object). See "
                  "docs/handlers.md#handlers");
    static_assert(
        HasSignature<Callable>,
        "freshet: a handler is a function, a lambda or an object with one operator(), its parameter types written "
        "out (no `auto`, no overloads): they say what to take from the message. If the compiler reports an error "
        "in its body, fix that one first. See docs/handlers.md#handlers");
    if constexpr (has_object && HasSignature<Callable>) {
        using Result = typename Signature<Callable>::Result;
        using Arguments = typename Signature<Callable>::Arguments;
        if constexpr (CheckHandler<Pattern, std::remove_cvref_t<Result>, Arguments, Publishes>::ok) {
            using Handler = typename TypedHandlerFor<Callable, std::remove_cvref_t<Result>, Arguments>::Type;
            return with_batches<std::remove_cvref_t<Result>, Arguments>(std::unique_ptr<HandlerBase>{
                new Handler(std::forward<F>(handler))});
        }
    }
    return nullptr;
}

}  // namespace freshet::detail
