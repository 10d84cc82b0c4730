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

/// The parameter and result types of a callable. Has no members for a callable without a single signature: a generic
/// lambda, an overload.
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
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)&> : Signature<R(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const&> : Signature<R(A...)> {};
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

template <class Member>
struct ClassOf;
template <class Function, class C>
struct ClassOf<Function C::*> {
    using Type = C;
};

template <class Object, class Class>
concept DerivedFrom = std::is_base_of_v<Class, std::remove_cvref_t<Object>>;
template <class Pointer, class Class>
concept PointsTo = requires(Pointer& pointer) {
    { *pointer } -> DerivedFrom<Class>;
};

/// Binds a member function to `object`: a pointer, a smart pointer, or an object that is kept by reference.
template <class Member, class Object>
auto bind_member(Member member, Object&& object) {
    using Arguments = typename Signature<Member>::Arguments;
    using Class = typename ClassOf<Member>::Type;
    if constexpr (PointsTo<Object, Class>) {
        using Pointer = std::decay_t<Object>;
        return typename BoundMemberFor<Member, Pointer, Arguments>::Type{member, std::forward<Object>(object)};
    } else {
        static_assert(DerivedFrom<Object, Class>,
                      "freshet: the object of a member function handler is not of the member function's class. See "
                      "docs/handlers.md#handlers");
        static_assert(!DerivedFrom<Object, Class> || std::is_lvalue_reference_v<Object>,
                      "freshet: the object of a member function handler is kept by reference: pass a variable that "
                      "outlives the broker, or a std::shared_ptr. See docs/handlers.md#handlers");
        using Pointer = std::remove_reference_t<Object>*;
        return typename BoundMemberFor<Member, Pointer, Arguments>::Type{member, std::addressof(object)};
    }
}

}  // namespace freshet::detail
