// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <freshet/detail/traits.hpp>
#include <freshet/error.hpp>
#include <freshet/fixed_string.hpp>
#include <freshet/text.hpp>

namespace freshet {

class Clock;
class Context;

/// Handler parameter: a token of the subject. `Path<"id", int>` takes the 42 of "users.42.created" in a subscriber of
/// "users.{id}.created". If the token does not parse to T, the message is rejected with Condition::bad_payload before
/// the handler runs. With a default, `Path<"id", int, 0>`, the subscriber's subject may lack the parameter.
template <FixedString Name, class T = std::string_view, DefaultValue... Default>
struct Path {
    T value = {};
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
    operator const T&() const noexcept { return value; }

    friend bool operator==(const Path&, const Path&) = default;
    friend bool operator==(const Path& self, const T& other) { return self.value == other; }
};

/// Handler parameter: the first value of a message header. `Header<name, std::optional<T>>` allows the header to be
/// absent, and so does a default: `Header<"pages", int, 1>`. If the header is absent (and may not be) or does not
/// parse, the message is rejected with Condition::bad_payload before the handler runs.
template <FixedString Name, class T = std::string_view, DefaultValue... Default>
struct Header {
    T value = {};
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
    operator const T&() const noexcept { return value; }

    friend bool operator==(const Header&, const Header&) = default;
    friend bool operator==(const Header& self, const T& other) { return self.value == other; }
};

/// Handler parameter: one member of the body, which is a JSON object (or that in MessagePack or CBOR), for handlers
/// that need no type of their own for it: `[](Field<"id", int> id, Field<"note", std::optional<std::string>> note)`. T
/// is what a field of FRESHET_JSON may be. If the member is absent (and neither optional nor with a default) or does
/// not fit T, the message is rejected with Condition::bad_payload before the handler runs.
template <FixedString Name, class T = std::string, DefaultValue... Default>
struct Field {
    T value = {};
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
    operator const T&() const noexcept { return value; }

    friend bool operator==(const Field&, const Field&) = default;
    friend bool operator==(const Field& self, const T& other) { return self.value == other; }
};

/// Handler parameter: the object that was given to `Broker::provide`, looked up once when the broker starts. Handlers
/// may run at the same time on several threads, so the object must be thread-safe or guarded.
template <class T>
class Inject {
public:
    explicit Inject(T& object) noexcept : object_{&object} {}
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }

private:
    T* object_;
};

/// Checks a handler's parameters when the broker starts. Problems are collected, not thrown.
class Binder {
public:
    Binder() = default;
    Binder(const Binder&) = delete;
    Binder& operator=(const Binder&) = delete;

    /// Returns which token of the subject stands for `{name}`, counted from 0; nothing if none does.
    virtual std::optional<std::size_t> token_of(std::string_view name) const = 0;
    /// Returns the object that was provided for a type, or null.
    virtual void* provided(const std::type_info& type) const = 0;
    /// Returns the broker's clock, which the caller may keep; null stands for the system's clock.
    virtual std::shared_ptr<Clock> clock() const { return nullptr; }
    /// Returns the stand-in for a function of Depends, or null; see Broker::override_dependency.
    virtual const void* replacement(const void* key) const noexcept {
        (void)key;
        return nullptr;
    }
    /// Returns whether the subscriber's messages carry a value of this type beside the body, as those of a watch do.
    virtual bool carries(const std::type_info& type) const noexcept {
        (void)type;
        return true;
    }
    /// Reports a mistake that keeps the subscriber from starting.
    virtual void problem(std::string text) = 0;

protected:
    ~Binder() = default;
};

/// Customisation point: how a handler parameter of type A is made from a message.
///
///     template <> struct freshet::Extractor<TraceId> {
///         static Expected<TraceId> extract(Context& context);
///     };
///
/// A `static void describe(Describer&)` tells descriptions what it takes from the message; see <freshet/describer.hpp>.
///
/// An Extractor with `using Plan = ...` also has `static Plan bind(Binder&)`, which runs once when the broker starts,
/// and its `extract` takes the plan as the first parameter.
template <class A>
struct Extractor {};

namespace detail {

std::string_view subject_token(const Context& context, std::size_t index) noexcept;
std::optional<std::string_view> message_header(Context& context, std::string_view name);
Error bad_path(const Context& context, std::string_view name, std::string_view token, std::string_view type);
Error bad_header(const Context& context, std::string_view name, std::string_view value, std::string_view type);
Error missing_header(const Context& context, std::string_view name);
std::string unknown_path(std::string_view name);
std::string not_provided(std::string_view type);
/// Returns which token of the subject stands for `{name}`, which FRESHET_VARIANT lets name the type of a body. Reports
/// to `binder` that there is none.
std::size_t find_naming_token(Binder& binder, std::string_view name);

template <auto... Default>
inline constexpr bool has_default = sizeof...(Default) > 0;
template <auto Default>
inline constexpr bool is_text_default = requires { Default.value.view(); };

/// True if there is no default, or one of which a T can be made without loss.
template <class T, auto... Default>
inline constexpr bool fits_default = sizeof...(Default) == 0;
template <class T, auto Default>
inline constexpr bool fits_default<T, Default> = [] {
    if constexpr (is_optional<T>) return false;
    else if constexpr (is_text_default<Default>) return std::is_constructible_v<T, std::string_view>;
    else return requires { T{Default.value}; };
}();

template <class T>
T make_default() {
    return T{};
}
template <class T, auto Default>
T make_default() {
    if constexpr (is_text_default<Default>) return T{Default.value.view()};
    else return T{Default.value};
}

#define FRESHET_BAD_DEFAULT                                                                                            \
    "freshet: the default of this parameter is no T: in Header<name, T, default>, Path and Field write a value that "  \
    "a T holds, such as Header<\"pages\", int, 1>; a std::optional has none, it is empty when nothing came. See "      \
    "docs/handlers.md#defaults"

}  // namespace detail

template <FixedString Name, class T, DefaultValue... Default>
struct Extractor<Path<Name, T, Default...>> {
    static_assert(detail::fits_default<T, Default...>, FRESHET_BAD_DEFAULT);
    static_assert(ParsableText<T>,
                  "freshet: Path<name, T> needs a T that a token can be parsed to: std::string_view, std::string, a "
                  "number, bool, or a type with freshet::FromText<T>. See docs/handlers.md#path");
    using Plan = std::size_t;

    static Plan bind(Binder& binder) {
        const auto token = binder.token_of(Name.view());
        if constexpr (!detail::has_default<Default...>)
            if (!token) binder.problem(detail::unknown_path(Name.view()));
        return token.value_or(absent);
    }

    static Expected<Path<Name, T, Default...>> extract(Plan token, Context& context) {
        if constexpr (detail::has_default<Default...> && detail::fits_default<T, Default...>)
            if (token == absent) return Path<Name, T, Default...>{detail::make_default<T, Default...>()};
        const auto text = detail::subject_token(context, token);
        auto value = FromText<T>::parse(text);
        if (!value) return std::unexpected{detail::bad_path(context, Name.view(), text, detail::type_name<T>())};
        return Path<Name, T, Default...>{*std::move(value)};
    }

private:
    static constexpr Plan absent = static_cast<Plan>(-1);
};

template <FixedString Name, class T, DefaultValue... Default>
struct Extractor<Header<Name, T, Default...>> {
    static_assert(detail::fits_default<T, Default...>, FRESHET_BAD_DEFAULT);
    using Value = Header<Name, T, Default...>;

    static Expected<Value> extract(Context& context) {
        const auto text = detail::message_header(context, Name.view());
        if constexpr (detail::is_optional<T>) {
            if (!text) return Value{};
            return parse<typename T::value_type>(context, *text);
        } else {
            if constexpr (!detail::has_default<Default...>) {
                if (!text) return std::unexpected{detail::missing_header(context, Name.view())};
            } else if constexpr (detail::fits_default<T, Default...>) {
                if (!text) return Value{detail::make_default<T, Default...>()};
            }
            return parse<T>(context, *text);
        }
    }

private:
    template <class V>
    static Expected<Value> parse(Context& context, std::string_view text) {
        static_assert(ParsableText<V>,
                      "freshet: Header<name, T> needs a T that text can be parsed to: std::string_view, std::string, a "
                      "number, bool, or a type with freshet::FromText<T>. See docs/handlers.md#headers");
        auto value = FromText<V>::parse(text);
        if (!value) return std::unexpected{detail::bad_header(context, Name.view(), text, detail::type_name<V>())};
        return Value{*std::move(value)};
    }
};

template <class T>
struct Extractor<Inject<T>> {
    static_assert(!detail::is_pointer_like<T>,
                  "freshet: Inject<T> names the type of the object, not of a pointer to it: Inject<Store>, however the "
                  "object was provided. See docs/handlers.md#inject");
    using Plan = T*;

    static Plan bind(Binder& binder) {
        auto* object = static_cast<T*>(binder.provided(typeid(T)));
        if (object == nullptr) binder.problem(detail::not_provided(detail::type_name<T>()));
        return object;
    }

    static Expected<Inject<T>> extract(Plan object, Context&) { return Inject<T>{*object}; }
};

/// Satisfied by parameter types that an Extractor makes.
template <class A>
concept Extractable = requires { &Extractor<A>::extract; };

}  // namespace freshet
