// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/coded.hpp>
#include <freshet/detail/argument.hpp>
#include <freshet/detail/batch_handler.hpp>
#include <freshet/detail/result.hpp>
#include <freshet/detail/signature.hpp>
#include <freshet/response.hpp>

namespace freshet::detail {

/// A handler's parameter A, as it is where the subscriber has the codec C: a body that C reads becomes a Coded.
template <class C, class A>
struct CodedParameter {
    static constexpr bool coded = false;
    using Type = A;
    A&& in;
    A&& open() { return static_cast<A&&>(in); }
};
template <class C, class A>
    requires(is_body<A> && DecodesWith<C, std::remove_cvref_t<A>> &&
             (!std::is_lvalue_reference_v<A> || std::is_const_v<std::remove_reference_t<A>>))
struct CodedParameter<C, A> {
    static constexpr bool coded = true;
    using Value = std::remove_cvref_t<A>;
    using Type = Coded<C, Value>;
    Type&& in;
    Value&& open() { return std::move(in.value); }
};
template <class C, class T>
    requires(!std::is_same_v<T, std::byte> && DecodesWith<C, T>)
struct CodedParameter<C, std::span<const T>> {
    static constexpr bool coded = true;
    using Type = std::span<const Coded<C, T>>;
    Type in;
    std::vector<T> values = {};
    std::span<const T> open() {
        values.reserve(in.size());
        // The values belong to this call: BatchHandler has made them for it.
        for (const auto& one : in) values.push_back(std::move(const_cast<Coded<C, T>&>(one).value));
        return values;
    }
};

/// A handler's result R, as it is where the subscriber has the codec C.
template <class C, class R>
struct CodedResult {
    static constexpr bool coded = false;
    using Type = R;
    static R close(R&& result) { return std::forward<R>(result); }
};
template <class C>
struct CodedResult<C, void> {
    static constexpr bool coded = false;
    using Type = void;
};
template <class C, class R>
    requires(!std::is_void_v<R> && carries_body<R> && !is_response<R> && !is_optional<R> && !is_expected<R> &&
             EncodesWith<C, R>)
struct CodedResult<C, R> {
    static constexpr bool coded = true;
    using Type = Coded<C, R>;
    static Type close(R&& result) { return {std::move(result)}; }
};
template <class C, class T>
    requires CodedResult<C, T>::coded
struct CodedResult<C, Response<T>> {
    static constexpr bool coded = true;
    using Type = Response<typename CodedResult<C, T>::Type>;
    static Type close(Response<T>&& result) {
        return {CodedResult<C, T>::close(std::move(result.body)), std::move(result.headers), result.format};
    }
};
template <class C, class T>
    requires CodedResult<C, T>::coded
struct CodedResult<C, std::optional<T>> {
    static constexpr bool coded = true;
    using Type = std::optional<typename CodedResult<C, T>::Type>;
    static Type close(std::optional<T>&& result) {
        if (!result) return std::nullopt;
        return CodedResult<C, T>::close(*std::move(result));
    }
};
template <class C, class T>
    requires CodedResult<C, T>::coded
struct CodedResult<C, Expected<T>> {
    static constexpr bool coded = true;
    using Type = Expected<typename CodedResult<C, T>::Type>;
    static Type close(Expected<T>&& result) {
        if (!result) return std::unexpected{std::move(result).error()};
        return CodedResult<C, T>::close(*std::move(result));
    }
};

/// A handler whose bodies are read and written by C, as a handler of Coded bodies.
template <class C, class F, class R, class... A>
struct CodecCall {
    F handler;
    typename CodedResult<C, R>::Type operator()(typename CodedParameter<C, A>::Type... arguments) {
        if constexpr (std::is_void_v<R>) {
            handler(CodedParameter<C, A>{static_cast<typename CodedParameter<C, A>::Type&&>(arguments)}.open()...);
        } else {
            return CodedResult<C, R>::close(
                handler(CodedParameter<C, A>{static_cast<typename CodedParameter<C, A>::Type&&>(arguments)}.open()...));
        }
    }
};

template <class C, class F, class Arguments>
struct CodecCallFor;
template <class C, class F, class... A>
struct CodecCallFor<C, F, TypeList<A...>> {
    using Result = std::remove_cvref_t<typename Signature<F>::Result>;
    using Type = CodecCall<C, F, Result, A...>;
    static constexpr bool used = CodedResult<C, Result>::coded || (CodedParameter<C, A>::coded || ... || false);
};

/// Returns the handler as it is for a subscriber with the codec C.
template <class C, class F>
decltype(auto) with_codec(F&& handler) {
    using Function = std::decay_t<F>;
    if constexpr (!HasSignature<Function> || std::is_member_function_pointer_v<Function>) {
        return std::forward<F>(handler);
    } else {
        using For = CodecCallFor<C, Function, typename Signature<Function>::Arguments>;
        static_assert(
            For::used,
            "freshet: the codec of this subscriber neither reads the body that the handler takes nor writes "
            "what it returns: it needs static Expected<void> decode(Bytes, T&) or static void encode(const T&, "
            "Buffer&). See docs/codecs.md#a-codec-for-one-subscriber-or-publisher");
        return typename For::Type{std::forward<F>(handler)};
    }
}

}  // namespace freshet::detail
