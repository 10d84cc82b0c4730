// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>
#include <freshet/outcome.hpp>

namespace freshet {

namespace detail {
struct ItemAccess;
}

/// Messages handled together, by a handler that takes `std::span<const T>`.
struct Batch {
    std::size_t size = 0;                   ///< the most in one batch; 0: no batches
    std::chrono::milliseconds within{100};  ///< how long the first message of a batch waits for others
};

/// One message of a batch that is being handled. What its handler says here wins over what it says of the whole batch.
class Item {
public:
    explicit Item(Message message) noexcept : message_{std::move(message)} {}

    const Message& message() const noexcept { return message_; }
    void ack() { decided_ = Outcome::ack; }
    /// Deliver it again, after `delay`; 0: at once.
    void nack(std::chrono::nanoseconds delay = {}) { decided_ = Outcome::nack(delay); }
    /// Never again.
    void term(std::string why = {}) { decided_ = Outcome::term(std::move(why)); }

private:
    friend struct detail::ItemAccess;

    Message message_;
    std::optional<Outcome> decided_ = {};
    std::optional<Error> rejected_ = {};  // it does not decode
};

/// The messages of the batch that a handler got, in the order of its span: `context.items()[i].nack()`. Belongs to the thread
/// of the handler.
class Items {
public:
    explicit Items(std::vector<Item*> items) noexcept : items_{std::move(items)} {}

    std::size_t size() const noexcept { return items_.size(); }
    Item& operator[](std::size_t index) const { return *items_.at(index); }

private:
    std::vector<Item*> items_;
};

}  // namespace freshet
