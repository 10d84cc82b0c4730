// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <freshet/depends.hpp>
#include <freshet/detail/slots.hpp>
#include <freshet/detail/typed_handler.hpp>

namespace freshet::detail {

class AppCore;

enum class HookTime : std::uint8_t { lifespan, on_startup, after_startup, on_shutdown, after_shutdown };

/// A function that App calls, with its types erased.
class Hook {
public:
    Hook() = default;
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;
    virtual ~Hook() = default;
    virtual void bind(Binder& binder) = 0;
    /// Calls the function. Returns the object that a lifespan returned, else null. Exceptions of the function pass
    /// through.
    virtual std::shared_ptr<void> run(Context& context) = 0;
};

template <class V>
inline constexpr bool hook_value = false;
template <class T>
inline constexpr bool hook_value<Inject<T>> = true;

template <class A>
consteval bool fits_hook();

template <class Arguments>
inline constexpr bool all_fit_hook = true;
template <class... A>
inline constexpr bool all_fit_hook<TypeList<A...>> = (fits_hook<A>() && ... && true);

template <class V>
inline constexpr bool dependency_fits_hook = false;
template <auto Function>
inline constexpr bool dependency_fits_hook<Depends<Function>> =
    all_fit_hook<typename DependencyOf<Function>::Arguments>;

/// Returns true if a parameter of type A can be filled without a message.
template <class A>
consteval bool fits_hook() {
    using Value = std::remove_cvref_t<A>;
    constexpr auto kind = argument_kind<A>;
    if constexpr (kind == ArgumentKind::depends) return dependency_fits_hook<Value>;
    else if constexpr (kind == ArgumentKind::extracted) return hook_value<Value>;
    else return kind == ArgumentKind::logger || kind == ArgumentKind::broker || kind == ArgumentKind::stop_token;
}

template <class F, class... A>
class TypedHook final : public Hook {
    using Result = typename Signature<F>::Result;

public:
    explicit TypedHook(F function) : function_{std::move(function)} {}

    void bind(Binder& binder) override { plans_.emplace(bind_arguments<A...>(binder)); }
    std::shared_ptr<void> run(Context& context) override {
        TakenArguments<A...> arguments;
        DependencyScope scope{context};
        auto kept = run(arguments, context, std::index_sequence_for<A...>{});
        std::ignore = scope.end(Outcome{Outcome::ack});
        return kept;
    }

private:
    template <std::size_t... I>
    std::shared_ptr<void> run(TakenArguments<A...>& arguments, Context& context, std::index_sequence<I...>) {
        std::optional<Error> error;
        if (!(slot<I>(arguments).take(slot<I>(*plans_), context, error) && ... && true))
            raise(error ? *error : *ContextAccess::failure(context));
        if constexpr (std::is_void_v<Result>) {
            function_(slot<I>(arguments).give()...);
            return nullptr;
        } else {
            return std::shared_ptr<Result>(new Result(function_(slot<I>(arguments).give()...)));
        }
    }

    F function_;
    std::optional<ArgumentPlans<A...>> plans_ = {};
};

template <class F, class Arguments>
struct TypedHookFor;
template <class F, class... A>
struct TypedHookFor<F, TypeList<A...>> {
    using Type = TypedHook<F, A...>;
};

/// Erases the types of a hook. Returns null, after a static_assert, if the function breaks a rule. `Wanted` is void for
/// a function without a result.
template <class Wanted, class F>
std::unique_ptr<Hook> make_hook(F&& function) {
    using Function = std::decay_t<F>;
    static_assert(HasSignature<Function>, "freshet: a hook of App is a function or a lambda whose parameter types are "
                                          "written out (no `auto`). See docs/app.md#hooks");
    if constexpr (HasSignature<Function>) {
        using Arguments = typename Signature<Function>::Arguments;
        using Result = typename Signature<Function>::Result;
        constexpr bool fits = all_fit_hook<Arguments>;
        constexpr bool lifespan = !std::is_void_v<Wanted>;
        constexpr bool result_ok = lifespan ? std::is_object_v<Result> : std::is_void_v<Result>;
        static_assert(fits, "freshet: a hook of App takes Inject, Broker&, Logger&, std::stop_token, and Depends of "
                            "functions that take these: there is no message. See docs/app.md#hooks");
        static_assert(!fits || result_ok || lifespan,
                      "freshet: a hook of App returns nothing; for an object that lives as long as the program serves "
                      "use lifespan. See docs/app.md#hooks");
        static_assert(!fits || result_ok || !lifespan,
                      "freshet: a lifespan returns the object that is to live as long as the program serves. See "
                      "docs/app.md#hooks");
        if constexpr (fits && result_ok)
            return std::make_unique<typename TypedHookFor<Function, Arguments>::Type>(std::forward<F>(function));
    }
    return nullptr;
}

}  // namespace freshet::detail
