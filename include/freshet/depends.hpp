// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/detail/dependency.hpp>

namespace freshet {

/// The result of a function, as a parameter of a handler or of another such function: `Depends<&open_session> session`.
///
/// The parameters of the function are filled like a handler's, from the same message. freshet calls the function once
/// per message, before the handler, however many parameters take its result; nothing is allocated. A function that
/// returns Expected<T> gives a T; its error, like an exception that it throws, makes the message fail as if the handler
/// had thrown it. A function that returns a reference gives the object referred to. A value that it returns (it need
/// not be movable) is destroyed after the handler's answer and publications and before the message is settled, in the
/// reverse order of the calls; see ToldOutcome for values that commit or roll back.
template <auto Function>
class Depends {
public:
    using Value = typename detail::DependencyOf<Function>::Value;

    explicit Depends(Value& value) noexcept : value_{&value} {}
    Value& operator*() const noexcept { return *value_; }
    Value* operator->() const noexcept { return value_; }
    operator Value&() const noexcept { return *value_; }

private:
    Value* value_;
};

/// A function that returns nothing, as a parameter: it is called for its checks or effects.
template <auto Function>
    requires detail::GivesNothing<Function>
class Depends<Function> {};

}  // namespace freshet
