// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/batch.hpp>
#include <freshet/codec.hpp>
#include <freshet/detail/argument.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/signature.hpp>
#include <freshet/extract.hpp>

namespace freshet {

/// Gives a handler the decoded messages of a batch. A span of bytes is the body of one message, not a batch.
template <class T>
    requires(!std::same_as<T, std::byte>)
struct Extractor<std::span<const T>> {
    static_assert(Decodable<T> || detail::NamedBody<T>,
                  "freshet: the elements of a batch, std::span<const T>, have no codec: add FRESHET_JSON(Type, "
                  "fields...) in its namespace, link freshet::glaze, or specialise freshet::Codec<T>. See "
                  "docs/jetstream-consumers.md#batches");

    static Expected<std::span<const T>> extract(Context& context) {
        const auto* values = context.get<std::vector<T>>();
        if (values == nullptr) return failure(Errc::bad_setup, "a batch was asked for outside of one");
        return std::span<const T>{*values};
    }
};

template <class T>
    requires(!std::is_const_v<T> && !std::same_as<T, std::byte>)
struct Extractor<std::span<T>> {
    static_assert(
        std::is_const_v<T>,
        "freshet: a batch is taken as std::span<const T>, with const. See docs/jetstream-consumers.md#batches");
    static Expected<std::span<T>> extract(Context& context);
};

namespace detail {

/// Runs a handler on batches. Everything but decoding is compiled once.
class BatchHandlerBase : public HandlerBase {
public:
    explicit BatchHandlerBase(std::unique_ptr<HandlerBase> inner) noexcept : inner_{std::move(inner)} {}

    bool takes_batches() const noexcept final { return true; }
    void bind(Binder& binder) override { inner_->bind(binder); }
    Outcome invoke(Context& context) final;
    void describe(std::vector<const HandlerShape*>& shapes) const final { inner_->describe(shapes); }

private:
    /// Decodes the items that nobody rejected into values that the context keeps. Rejects the items that do not decode.
    virtual void decode(Context& context, const Items& items) = 0;

    std::unique_ptr<HandlerBase> inner_;
};

/// Returns the reason why an item was refused, for a decoder to set.
std::optional<Error>& rejection(Item& item) noexcept;
Message& message_of(Item& item) noexcept;

template <class T>
class BatchHandler final : public BatchHandlerBase {
public:
    using BatchHandlerBase::BatchHandlerBase;

    void bind(Binder& binder) override {
        if constexpr (NamedBody<T>) token_ = bind_named_body<T>(binder);
        BatchHandlerBase::bind(binder);
    }

private:
    Expected<void> decode_one(const Message& message, T& value) const {
        if constexpr (NamedBody<T>) return decode_named_body(message, content_type_of(message), token_, value);
        else return decode_body(body_of(message), content_type_of(message), value);
    }

    void decode(Context& context, const Items& items) override {
        std::vector<T> values;
        values.reserve(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            auto& item = items[i];
            if (rejection(item)) continue;
            T value{};
            auto decoded = decode_one(item.message(), value);
            if (decoded) values.push_back(std::move(value));
            else rejection(item) = std::move(decoded).error();
        }
        context.set(std::move(values));
    }

    std::size_t token_ = 0;  // of the subject, which names the type
};

/// Yields the T of a parameter `std::span<const T>`; void for any other parameter.
template <class V>
struct BatchElementOf {
    using Type = void;
};
template <class T>
    requires(!std::same_as<T, std::byte>)
struct BatchElementOf<std::span<const T>> {
    using Type = T;
};
/// True for parameters that belong to one message and mean nothing for a batch.
template <class V>
inline constexpr bool of_one_message = std::same_as<V, Message>;
template <FixedString Name, class T, DefaultValue... Default>
inline constexpr bool of_one_message<Path<Name, T, Default...>> = true;
template <FixedString Name, class T, DefaultValue... Default>
inline constexpr bool of_one_message<Header<Name, T, Default...>> = true;
template <FixedString Name, class T, DefaultValue... Default>
inline constexpr bool of_one_message<freshet::Field<Name, T, Default...>> = true;

template <class A>
inline constexpr bool is_batch = !std::is_void_v<typename BatchElementOf<std::remove_cvref_t<A>>::Type>;

/// The rules for batches, checked against a handler's parameters and result.
template <class Result, class Arguments>
struct BatchRules;
template <class Result, class... A>
struct BatchRules<Result, TypeList<A...>> {
    static constexpr int batches = (int{is_batch<A>} + ... + 0);
    static_assert(batches <= 1, "freshet: a handler takes one batch at most. See docs/jetstream-consumers.md#batches");
    static_assert(
        batches == 0 || !(of_one_message<std::remove_cvref_t<A>> || ...),
        "freshet: a handler of batches cannot take Path, Header, Field or Message, which belong to one message: "
        "use Context::items. See docs/jetstream-consumers.md#batches");
    static_assert(
        batches == 0 || std::is_void_v<Result> || std::same_as<Result, Outcome> || std::same_as<Result, Expected<void>>,
        "freshet: a handler of batches returns void, Outcome or Expected<void>: there is nobody to answer. See "
        "docs/jetstream-consumers.md#batches");
    static constexpr bool ok = batches == 1;
};

template <class Arguments>
struct BatchElement;
template <class... A>
struct BatchElement<TypeList<A...>> {
    template <class V, class... Rest>
    static auto find() {
        using Element = typename BatchElementOf<std::remove_cvref_t<V>>::Type;
        if constexpr (!std::is_void_v<Element>) return std::type_identity<Element>{};
        else return find<Rest...>();
    }
    using Type = typename decltype(find<A...>())::type;
};

/// Wraps a handler that takes a batch, so that it is given batches; returns any other handler unchanged.
template <class Result, class Arguments>
std::unique_ptr<HandlerBase> with_batches(std::unique_ptr<HandlerBase> handler) {
    if constexpr (BatchRules<Result, Arguments>::ok)
        return std::make_unique<BatchHandler<typename BatchElement<Arguments>::Type>>(std::move(handler));
    else return handler;
}

}  // namespace detail
}  // namespace freshet
