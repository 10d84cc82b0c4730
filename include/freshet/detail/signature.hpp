// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace freshet::detail {

template <class... A>
struct TypeList {
    static constexpr std::size_t size = sizeof...(A);
};

/// What a callable takes and returns. Has no members for what has no single signature: generic lambdas, overloads.
template <class F>
struct Signature {};

template <class R, class... A>
struct Signature<R(A...)> {
    using Result = R;
    using Arguments = TypeList<A...>;
};
template <class R, class... A>
struct Signature<R(A...) noexcept> : Signature<R(A...)> {};
template <class R, class... A>
struct Signature<R (*)(A...)> : Signature<R(A...)> {};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> : Signature<R(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R(A...)> {};
template <class F>
    requires requires { &F::operator(); }
struct Signature<F> : Signature<decltype(&F::operator())> {};

template <class F>
concept HasSignature = requires { typename Signature<std::remove_cvref_t<F>>::Result; };


/// A member function and the object it is called on, as one callable with the member function's signature.
template <class Member, class Object, class R, class... A>
struct BoundMemberCall {
    Member member;
    Object object;

    R operator()(A... arguments) { return ((*object).*member)(static_cast<A&&>(arguments)...); }
};

template <class Member, class Object, class Arguments>
struct BoundMemberFor;
template <class Member, class Object, class... A>
struct BoundMemberFor<Member, Object, TypeList<A...>> {
    using Type = BoundMemberCall<Member, Object, typename Signature<Member>::Result, A...>;
};

/// `object` is a pointer or a smart pointer, or an object that is kept by reference.
template <class Member, class Object>
auto bind_member(Member member, Object&& object) {
    using Arguments = typename Signature<Member>::Arguments;
    if constexpr (requires { (*object).*member; }) {
        using Pointer = std::decay_t<Object>;
        return typename BoundMemberFor<Member, Pointer, Arguments>::Type{member, std::forward<Object>(object)};
    } else {
        static_assert(std::is_lvalue_reference_v<Object>,
                      "freshet: the object of a member function handler is kept by reference: pass a variable that "
                      "outlives the broker, or a std::shared_ptr. See docs/handlers.md#handlers");
        using Pointer = std::remove_reference_t<Object>*;
        return typename BoundMemberFor<Member, Pointer, Arguments>::Type{member, std::addressof(object)};
    }
}

}  // namespace freshet::detail
