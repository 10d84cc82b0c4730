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

/// How the messages of a subscriber are collected for a handler that takes `std::span<const T>`.
struct Batch {
    std::size_t size = 0;                   ///< the most messages in one batch; 0: no batches
    std::chrono::milliseconds within{100};  ///< how long the first message of a batch waits for others
    /// True: when the handler fails for a batch, it is called again for each of its messages alone, in their order, so
    /// that one bad message does not condemn its neighbours. What it has decided about a message (Item::ack...) stays,
    /// and such a message is not handed on again. An outcome that it returned or threw for the whole batch is no
    /// failure. Default: the failure holds for all messages.
    bool isolate = false;
};

/// One message of a batch that is being handled. The outcome chosen here takes precedence over the outcome of the whole
/// batch. Belongs to the thread of the handler. It answers the questions of MessageQuestions.
class Item : public MessageQuestions<Item> {
public:
    explicit Item(Message message) noexcept : message_{std::move(message)} {}

    /// Returns the message; valid while the handler runs.
    const Message& message() const noexcept { return message_; }
    /// Acknowledges the message when the batch ends.
    void ack() { decided_ = Outcome::ack; }
    /// Has the message delivered again, after `delay`; with 0, the default, after the pause of js::Retry::backoff.
    void nack(std::chrono::nanoseconds delay = {}) { decided_ = Outcome::nack(delay); }
    /// Gives the message up: it goes to the dead letters, if there are any, and is not delivered again. `why` is the
    /// reason.
    void term(std::string why = {}) { decided_ = Outcome::term(std::move(why)); }

private:
    friend struct detail::ItemAccess;

    Message message_;
    std::optional<Outcome> decided_ = {};
    std::optional<Error> rejected_ = {};  // why the message does not decode; empty if it does
};

/// The messages of the batch that a handler received, in the order of its span: `context.items()[i].nack()`. Belongs to
/// the thread of the handler.
class Items {
public:
    explicit Items(std::vector<Item*> items) noexcept : items_{std::move(items)} {}

    /// Returns the number of messages, which is the size of the handler's span.
    std::size_t size() const noexcept { return items_.size(); }
    /// Returns the message at `index`. Throws std::out_of_range.
    Item& operator[](std::size_t index) const { return *items_.at(index); }

private:
    std::vector<Item*> items_;
};

}  // namespace freshet
