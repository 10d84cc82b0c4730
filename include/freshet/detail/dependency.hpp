// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <freshet/detail/argument.hpp>
#include <freshet/detail/result.hpp>
#include <freshet/detail/signature.hpp>
#include <freshet/detail/slots.hpp>
#include <freshet/detail/typed_handler.hpp>

namespace freshet {

/// Satisfied by the value of a dependency that wants to know the outcome of its message: freshet calls
/// `void on_outcome(const Outcome&)` once, after the answer and the publications were sent and before the destructor;
/// `Outcome::ack` means commit. If on_outcome throws, the message has failed, but the answer and the publications stay
/// sent. A smart pointer to such a value counts, too.
template <class T>
concept ToldOutcome = requires(T& value, const Outcome& outcome) { value.on_outcome(outcome); };

namespace detail {

template <class T>
concept PointsToToldOutcome = requires(T& value) {
    { *value } -> ToldOutcome;
    static_cast<bool>(value);
};

template <class Result>
struct GivenBy {
    using Value = std::remove_reference_t<Result>;
};
template <class T>
struct GivenBy<Expected<T>> {
    using Value = T;
};

template <auto Function>
struct DependencyOf {
    using Call = std::remove_cv_t<decltype(Function)>;
    using Value = void;
};
template <auto Function>
    requires HasSignature<decltype(Function)>
struct DependencyOf<Function> {
    using Call = std::remove_cv_t<decltype(Function)>;
    using Arguments = typename Signature<Call>::Arguments;
    using Value = typename GivenBy<typename Signature<Call>::Result>::Value;
};

template <auto Function>
concept GivesNothing = std::is_void_v<typename DependencyOf<Function>::Value>;

/// A constant whose address identifies the function.
template <auto Function>
inline constexpr char dependency_key = 0;

/// Storage for one value that a function returns, so that the value is made in place and need not be movable.
template <class Value>
class Room {
public:
    Room() noexcept : none{} {}
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    ~Room() {}  // the user of the room destroys the value

    template <class Make>
    Value* make(Make&& make) {
        return ::new (static_cast<void*>(std::addressof(value))) Value(make());
    }

private:
    union {
        char none;
        std::remove_const_t<Value> value;
    };
};
template <class Value>
    requires std::is_void_v<Value>
class Room<Value> {};

template <class Value>
void end_value(Value& value, const Outcome& outcome) {
    struct Destroy {
        Value& value;
        ~Destroy() { value.~Value(); }
    } const destroy{value};
    if constexpr (ToldOutcome<Value>) value.on_outcome(outcome);
    else if constexpr (PointsToToldOutcome<Value>) {
        if (value) (*value).on_outcome(outcome);
    }
}

/// A call of a function for one message: its arguments and its result, which live until the message has been handled.
template <class Call, class Value, class Arguments>
class DependencyCall;

template <class Call, class Value, class... A>
class DependencyCall<Call, Value, TypeList<A...>> {
public:
    using Plan = ArgumentPlans<A...>;

    static Plan bind(Binder& binder) { return bind_arguments<A...>(binder); }

    /// Takes the arguments and calls the function. Returns false if an argument cannot be taken (`error` says why), or
    /// if the function returned an error (the context has it).
    bool make(const Call& call, const Plan& plan, Context& context, std::optional<Error>& error) {
        return make(call, plan, context, error, std::index_sequence_for<A...>{});
    }
    Value* value() const noexcept { return value_; }
    void end(const Outcome& outcome) {
        if constexpr (!std::is_void_v<Value>) {
            if (owned_) end_value(*value_, outcome);
        }
    }

private:
    template <std::size_t... I>
    bool make(const Call& call, const Plan& plan, Context& context, std::optional<Error>& error,
              std::index_sequence<I...>) {
        if constexpr (takes_fields<A...>) {
            if (!take_fields(arguments_, context, error, std::index_sequence<I...>{})) return false;
        }
        if (!(slot<I>(arguments_).take(slot<I>(plan), context, error) && ... && true)) return false;
        return hold(context, [&]() -> decltype(auto) { return call(slot<I>(arguments_).give()...); });
    }

    template <class Make>
    bool hold(Context& context, Make&& make) {
        using Result = decltype(make());
        if constexpr (is_expected<std::remove_cvref_t<Result>>) {
            auto result = make();
            if (!result) {
                std::ignore = ContextAccess::fail(context, std::move(result).error());
                return false;
            }
            if constexpr (!std::is_void_v<Value>) keep([&]() -> Value { return *std::move(result); });
        } else if constexpr (std::is_void_v<Value>) {
            make();
        } else if constexpr (std::is_lvalue_reference_v<Result>) {
            value_ = std::addressof(make());
        } else {
            keep(make);
        }
        return true;
    }
    template <class Make>
    void keep(Make&& make) {
        value_ = room_.make(make);
        owned_ = true;
    }

    TakenArguments<A...> arguments_ = {};
    Room<Value> room_ = {};
    Value* value_ = nullptr;
    bool owned_ = false;
};

/// The stand-in of a function, in tests.
template <class Value>
class Replacement {
public:
    /// One call of the stand-in, for one message.
    class Call {
    public:
        Call() = default;
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        virtual ~Call() = default;
        virtual bool make(Context& context, std::optional<Error>& error) = 0;
        virtual Value* value() const noexcept = 0;
        virtual void end(const Outcome& outcome) = 0;
    };
    using MakeCall = std::function<std::unique_ptr<Call>()>;

    Replacement() = default;
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    virtual ~Replacement() = default;
    virtual MakeCall bind(Binder& binder) const = 0;
};

template <class Function, class Value>
class ReplacementBy final : public Replacement<Value> {
    using Made = DependencyCall<Function, Value, typename Signature<Function>::Arguments>;
    using Plan = typename Made::Plan;

public:
    explicit ReplacementBy(Function function) : function_{std::make_shared<const Function>(std::move(function))} {}

    typename Replacement<Value>::MakeCall bind(Binder& binder) const override {
        auto plan = std::make_shared<const Plan>(Made::bind(binder));
        return [function = function_, plan] { return std::make_unique<Call>(function, plan); };
    }

private:
    class Call final : public Replacement<Value>::Call {
    public:
        Call(std::shared_ptr<const Function> function, std::shared_ptr<const Plan> plan) noexcept
            : function_{std::move(function)}, plan_{std::move(plan)} {}
        bool make(Context& context, std::optional<Error>& error) override {
            return made_.make(*function_, *plan_, context, error);
        }
        Value* value() const noexcept override { return made_.value(); }
        void end(const Outcome& outcome) override { made_.end(outcome); }

    private:
        std::shared_ptr<const Function> function_;
        std::shared_ptr<const Plan> plan_;
        Made made_ = {};
    };

    std::shared_ptr<const Function> function_;
};

/// Fills a parameter `Depends<Function>`: with the value that the delivery has already, else with the result of a call.
template <class A, auto Function>
class DependencyArgument : public DependencySlot {
    using Of = DependencyOf<Function>;
    using Value = typename Of::Value;
    using Made = DependencyCall<typename Of::Call, Value, typename Of::Arguments>;

public:
    struct Plan {
        typename Made::Plan arguments;
        typename Replacement<Value>::MakeCall replacement = {};
    };

    DependencyArgument() = default;

    static Plan bind(Binder& binder) {
        const auto replaced = binder.replacement(&dependency_key<Function>);
        if (replaced != nullptr) return {{}, static_cast<const Replacement<Value>*>(replaced)->bind(binder)};
        return {Made::bind(binder)};
    }

    bool take(const Plan& plan, Context& context, std::optional<Error>& error) {
        if (const auto* known = ContextAccess::find_dependency(context, &dependency_key<Function>)) {
            value_ = static_cast<Value*>(known->value());
            return true;
        }
        if (plan.replacement) {
            replaced_ = plan.replacement();
            if (!replaced_->make(context, error)) return false;
            value_ = replaced_->value();
        } else {
            if (!made_.make(Function, plan.arguments, context, error)) return false;
            value_ = made_.value();
        }
        ContextAccess::add_dependency(context, *this);
        return true;
    }

    A give() {
        if constexpr (std::is_void_v<Value>) return {};
        else return A{*value_};
    }

    const void* key() const noexcept override { return &dependency_key<Function>; }
    void* value() const noexcept override { return const_cast<std::remove_const_t<Value>*>(value_); }
    void end(const Outcome& outcome) override {
        if (replaced_ != nullptr) replaced_->end(outcome);
        else made_.end(outcome);
    }

private:
    Made made_ = {};
    std::unique_ptr<typename Replacement<Value>::Call> replaced_ = {};
    Value* value_ = nullptr;
};

template <class A>
struct DependencyArgumentFor;
template <auto Function>
struct DependencyArgumentFor<Depends<Function>> {
    using Type = DependencyArgument<Depends<Function>, Function>;
};
template <class A>
struct Argument<A, ArgumentKind::depends> final : DependencyArgumentFor<std::remove_cvref_t<A>>::Type {};

/// Checks the rules for a function that handlers or other such functions depend on.
template <class Call, class Pattern>
struct CheckDependency {
    static_assert(!std::is_member_function_pointer_v<Call>,
                  "freshet: Depends<&f> takes a free or static function: a member function has no object here. See "
                  "docs/dependencies.md#functions");
    static_assert(std::is_member_function_pointer_v<Call> || HasSignature<Call>,
                  "freshet: Depends<f> takes a function or a lambda whose parameter types are written out (no `auto`): "
                  "they say what to take from the message. See docs/dependencies.md#functions");
    static constexpr bool ok = false;
};
template <class Call, class Pattern>
    requires(HasSignature<Call> && !std::is_member_function_pointer_v<Call>)
struct CheckDependency<Call, Pattern> {
    template <class Arguments>
    struct All;
    template <class... A>
    struct All<TypeList<A...>> {
        static constexpr bool parameters_ok = (check_parameter<A, Pattern>() && ... && true);
        static constexpr bool one_body = (int{is_body<A>} + ... + 0) <= 1;
    };
    using Checked = All<typename Signature<Call>::Arguments>;
    using Result = typename Signature<Call>::Result;
    static constexpr bool result_ok = !std::is_rvalue_reference_v<Result>;
    static_assert(Checked::one_body, "freshet: a function of Depends takes one message body at most. See "
                                     "docs/dependencies.md#functions");
    static_assert(result_ok, "freshet: a function of Depends returns a value or an lvalue reference: an rvalue "
                             "reference would dangle. See docs/dependencies.md#functions");
    static constexpr bool lives =
        std::is_reference_v<Result> || result_lives<Result, typename Signature<Call>::Arguments>;
    static_assert(lives,
                  "freshet: a function of Depends returns a view (std::string_view, std::span, const char*), which is "
                  "used after it has returned: what it refers to may be gone by then. Return a std::string, or "
                  "freshet::Borrowed{view} for what lives longer, such as a header's value. See "
                  "docs/dependencies.md#functions");
    static constexpr bool ok = Checked::parameters_ok && Checked::one_body && lives && result_ok;
};

template <auto Function, class Pattern>
inline constexpr bool dependency_ok<Depends<Function>, Pattern> =
    CheckDependency<std::remove_cv_t<decltype(Function)>, Pattern>::ok;

/// Checks a stand-in for Function and erases its types. Returns null, after a static_assert, if it breaks a rule.
template <auto Function, class Stand>
std::shared_ptr<const void> make_replacement(Stand&& stand) {
    using Value = typename DependencyOf<Function>::Value;
    using Call = std::decay_t<Stand>;
    if constexpr (CheckDependency<Call, RuntimeSubject>::ok) {
        using Given = typename GivenBy<typename Signature<Call>::Result>::Value;
        constexpr bool fits = std::is_same_v<Given, Value> || (!std::is_void_v<Given> && !std::is_void_v<Value> &&
                                                               std::is_constructible_v<Value, Given>);
        static_assert(fits, "freshet: override_dependency<&f>(g) needs a g that returns what f returns. See "
                            "docs/dependencies.md#tests");
        if constexpr (fits) {
            std::shared_ptr<const Replacement<Value>> made =
                std::make_shared<ReplacementBy<Call, Value>>(std::forward<Stand>(stand));
            return made;
        }
    }
    return nullptr;
}

}  // namespace detail
}  // namespace freshet
