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
/// the handler runs.
template <FixedString Name, class T = std::string_view>
struct Path {
    T value = {};
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
    operator const T&() const noexcept { return value; }

    friend bool operator==(const Path&, const Path&) = default;
    friend bool operator==(const Path& self, const T& other) { return self.value == other; }
};

/// Handler parameter: the first value of a message header. `Header<name, std::optional<T>>` allows the header to be
/// absent. If the header is absent (and not optional) or does not parse, the message is rejected with
/// Condition::bad_payload before the handler runs.
template <FixedString Name, class T = std::string_view>
struct Header {
    T value = {};
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
    operator const T&() const noexcept { return value; }

    friend bool operator==(const Header&, const Header&) = default;
    friend bool operator==(const Header& self, const T& other) { return self.value == other; }
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

}  // namespace detail

template <FixedString Name, class T>
struct Extractor<Path<Name, T>> {
    static_assert(ParsableText<T>,
                  "freshet: Path<name, T> needs a T that a token can be parsed to: std::string_view, std::string, a "
                  "number, bool, or a type with freshet::FromText<T>. See docs/handlers.md#path");
    using Plan = std::size_t;

    static Plan bind(Binder& binder) {
        const auto token = binder.token_of(Name.view());
        if (!token) binder.problem(detail::unknown_path(Name.view()));
        return token.value_or(0);
    }

    static Expected<Path<Name, T>> extract(Plan token, Context& context) {
        const auto text = detail::subject_token(context, token);
        auto value = FromText<T>::parse(text);
        if (!value) return std::unexpected{detail::bad_path(context, Name.view(), text, detail::type_name<T>())};
        return Path<Name, T>{*std::move(value)};
    }
};

template <FixedString Name, class T>
struct Extractor<Header<Name, T>> {
    static Expected<Header<Name, T>> extract(Context& context) {
        const auto text = detail::message_header(context, Name.view());
        if constexpr (detail::is_optional<T>) {
            if (!text) return Header<Name, T>{};
            return parse<typename T::value_type>(context, *text);
        } else {
            if (!text) return std::unexpected{detail::missing_header(context, Name.view())};
            return parse<T>(context, *text);
        }
    }

private:
    template <class V>
    static Expected<Header<Name, T>> parse(Context& context, std::string_view text) {
        static_assert(ParsableText<V>,
                      "freshet: Header<name, T> needs a T that text can be parsed to: std::string_view, std::string, a "
                      "number, bool, or a type with freshet::FromText<T>. See docs/handlers.md#headers");
        auto value = FromText<V>::parse(text);
        if (!value) return std::unexpected{detail::bad_header(context, Name.view(), text, detail::type_name<V>())};
        return Header<Name, T>{*std::move(value)};
    }
};

template <class T>
struct Extractor<Inject<T>> {
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
