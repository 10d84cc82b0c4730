// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <freshet/detail/core.hpp>

namespace freshet {

/// The answers to one request as a range that blocks for the next answer. Move-only; for one thread; read it once; it
/// must not outlive its broker. Iterating throws Error for an answer that is an error or does not decode; next()
/// returns that error as a value.
template <class R>
class Replies {
public:
    explicit Replies(std::unique_ptr<detail::ReplyQueue> queue) noexcept : queue_{std::move(queue)} {}

    /// Blocks until the next answer and returns it, or an error; returns nothing when there will be no more answers.
    std::optional<Expected<R>> next() {
        auto reply = queue_->next();
        if (!reply) return std::nullopt;
        return detail::decode_reply<R>(queue_->subject(), *std::move(reply));
    }

    class Iterator {
    public:
        using value_type = R;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(Replies& replies) : replies_{&replies} { ++*this; }

        R& operator*() const noexcept { return *current_; }
        Iterator& operator++() {
            auto reply = replies_->next();
            if (reply) current_ = value_or_raise(*std::move(reply));
            else current_.reset();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept { return !a.current_; }

    private:
        Replies* replies_ = nullptr;
        mutable std::optional<R> current_ = {};
    };

    /// Blocks until the first answer. Throws Error for an answer that is an error or does not decode.
    Iterator begin() { return Iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    std::unique_ptr<detail::ReplyQueue> queue_;
};

}  // namespace freshet
