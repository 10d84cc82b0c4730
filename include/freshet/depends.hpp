// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/detail/dependency.hpp>

namespace freshet {

/// What a function returns, as a parameter of a handler or of another such function: `Depends<&open_session> session`.
///
/// The function's own parameters are filled like a handler's, from the same message. It is called once per message,
/// before the handler, whoever asks for its result; nothing is allocated. A function that returns Expected<T> gives a T;
/// its error, like an exception it throws, makes the message fail as if the handler had thrown it. One that returns a
/// reference gives that. What it returns by value (it need not be movable) is destroyed after the answer and the
/// publications of the handler and before the message is settled, in the reverse order of the calls; see
/// ToldOutcome for those that commit or roll back.
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

/// Of a function that returns nothing: it is called, for what it checks or does.
template <auto Function>
    requires detail::GivesNothing<Function>
class Depends<Function> {};

}  // namespace freshet
