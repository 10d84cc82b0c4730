// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <freshet/detail/slots.hpp>
#include <freshet/detail/typed_handler.hpp>

namespace freshet::detail {

/// A function that on_error<E> registered, bound to one subscriber. May run on several threads at once.
class ErrorHandler {
public:
    ErrorHandler() = default;
    ErrorHandler(const ErrorHandler&) = delete;
    ErrorHandler& operator=(const ErrorHandler&) = delete;
    virtual ~ErrorHandler() = default;

    /// Handles the exception in flight, or `error` if it is not null, and returns the outcome; nothing if it is not an
    /// E. Exceptions of the user's function pass through.
    virtual std::optional<Outcome> handle(Context& context, const Error* error) = 0;

    /// Returns true if this handler also takes every exception that `derived` takes. Compares by throwing: call it at
    /// bind only.
    virtual bool is_base_of(const ErrorHandler& derived) const = 0;

protected:
    virtual void throw_pointer() const = 0;
    static void throw_pointer_of(const ErrorHandler& handler) { handler.throw_pointer(); }
};

template <class E, class F, class Arguments>
class TypedErrorHandler;

template <class E, class F, class First, class... A>
class TypedErrorHandler<E, F, TypeList<First, A...>> final : public ErrorHandler {
public:
    TypedErrorHandler(std::shared_ptr<F> function, Binder& binder)
        : function_{std::move(function)}, plans_{bind_arguments<A...>(binder)} {}

    std::optional<Outcome> handle(Context& context, const Error* error) override {
        if (error != nullptr) {
            if constexpr (std::is_base_of_v<E, Error>) return call(*error, context);
            else if constexpr (!std::is_same_v<E, RemoteError>) return std::nullopt;
            else if (error->code() != Errc::remote) return std::nullopt;
        }
        try {
            if (error != nullptr) raise(*error);
            throw;
        } catch (const E& caught) { return call(caught, context); } catch (...) {
            return std::nullopt;
        }
    }

    bool is_base_of(const ErrorHandler& derived) const override {
        try {
            throw_pointer_of(derived);
        } catch (const E*) { return true; } catch (...) {
        }
        return false;
    }

private:
    void throw_pointer() const override { throw static_cast<const E*>(nullptr); }

    Outcome call(const E& error, Context& context) {
        TakenArguments<A...> arguments;
        DependencyScope scope{context};
        return scope.end(call(error, arguments, context, std::index_sequence_for<A...>{}));
    }

    template <std::size_t... I>
    Outcome call(const E& error, TakenArguments<A...>& arguments, Context& context, std::index_sequence<I...>) {
        std::optional<Error> missing;
        if constexpr (takes_fields<A...>) {
            if (!take_fields(arguments, context, missing, std::index_sequence<I...>{}))
                return ContextAccess::refuse(context, std::move(missing));
        }
        if (!(slot<I>(arguments).take(slot<I>(plans_), context, missing) && ... && true))
            return ContextAccess::refuse(context, std::move(missing));
        if constexpr (std::is_void_v<typename Signature<F>::Result>) {
            (*function_)(error, slot<I>(arguments).give()...);
            return Outcome::ack;
        } else {
            return finish(context, (*function_)(error, slot<I>(arguments).give()...));
        }
    }

    std::shared_ptr<F> function_;
    ArgumentPlans<A...> plans_;
};

template <class E, class Arguments>
inline constexpr bool takes_error = false;
template <class E, class First, class... A>
inline constexpr bool takes_error<E, TypeList<First, A...>> = std::is_same_v<First, const E&>;

template <class Pattern, class Arguments>
inline constexpr bool rest_ok = true;
template <class Pattern, class First, class... A>
inline constexpr bool rest_ok<Pattern, TypeList<First, A...>> = (check_parameter<A, Pattern>() && ... && true);

/// Returns the answer of on_error<E>(code, description) to an exception; null: it is no std::exception. A RemoteError
/// that the program made is an answer already, and stays what it is.
RemoteError coded_answer(int code, const std::string& description, const std::exception* error);

/// The function of on_error<E>(code).
template <class E>
struct CodedAnswer {
    int code;
    std::string description;

    RemoteError operator()(const E& error) const {
        if constexpr (std::is_convertible_v<const E*, const std::exception*>)
            return coded_answer(code, description, &error);
        else return coded_answer(code, description, nullptr);
    }
};

/// Checks the rules for on_error<E>(f).
template <class E, class Pattern, class F>
struct CheckErrorHandler {
    static_assert(HasSignature<F>,
                  "freshet: on_error takes a function or a lambda whose parameter types are written out "
                  "(no `auto`). See docs/exceptions.md#handling-errors");
    static constexpr bool ok = false;
};
template <class E, class Pattern, class F>
    requires HasSignature<F>
struct CheckErrorHandler<E, Pattern, F> {
    using Result = std::remove_cvref_t<typename Signature<F>::Result>;
    static constexpr bool first = takes_error<E, typename Signature<F>::Arguments>;
    static_assert(first, "freshet: on_error<E>(f) needs an f whose first parameter is const E&; the others are filled "
                         "like a handler's. See docs/exceptions.md#handling-errors");
    static_assert(returnable<Result>,
                  "freshet: the type that this on_error function returns has no codec, so it cannot "
                  "be answered. See docs/exceptions.md#handling-errors");
    static constexpr bool lives = result_lives<Result, typename Signature<F>::Arguments>;
    static_assert(lives, FRESHET_VIEW_RESULT);
    static constexpr bool ok =
        first && lives && returnable<Result> && rest_ok<Pattern, typename Signature<F>::Arguments>;
};

}  // namespace freshet::detail
