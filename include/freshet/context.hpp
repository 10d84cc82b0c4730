// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <freshet/codec_format.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/error.hpp>
#include <freshet/logger.hpp>
#include <freshet/message.hpp>
#include <freshet/outcome.hpp>

namespace freshet {

class Broker;
class Clock;
class Item;
class Items;

namespace detail {
class SubscriberCore;
class DependencySlot;
struct ContextAccess;
}  // namespace detail

/// One delivery: the message, the values that were read from it, and the outcome that it will have. Lives for one call
/// of a handler and belongs to the thread that runs it. It answers the questions of MessageQuestions.
class Context : public MessageQuestions<Context> {
public:
    Context(detail::SubscriberCore& subscriber, Message& message) noexcept
        : subscriber_{&subscriber}, message_{&message} {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// Returns the message; valid as long as the Context.
    const Message& message() const noexcept { return *message_; }
    /// Returns the broker of the subscriber.
    Broker& broker() const noexcept;
    /// Returns a logger that writes the fields of the message (docs/logging.md) with each line. It reads them when it
    /// writes a line, so use it only on the thread that runs the handler.
    Logger& logger();

    /// Returns the token of the message's subject that stands for `{name}` in the subscriber's subject; nothing if the
    /// subject has no such name.
    std::optional<std::string_view> path(std::string_view name) const noexcept;

    /// Returns the `correlation_id` header; if the message has none that can be sent on, an id that is made at the
    /// first call. While a handler runs, its publications and requests carry this id, if the message came with one or
    /// this function has made one.
    std::string_view correlation_id();

    /// Acknowledges the message, whatever the handler returns. Of several calls of ack, nack and term, the last counts.
    /// The message is settled after the handler; on core NATS nothing is sent, and the outcome is counted and logged.
    void ack() { decided_ = Outcome::ack; }
    /// Has the message delivered again after `delay`, whatever the handler returns; with 0, the default, after the
    /// pause of js::Retry::backoff. Of several calls of ack, nack and term, the last counts.
    void nack(std::chrono::nanoseconds delay = {}) { decided_ = Outcome::nack(delay); }
    /// Gives the message up, for the reason `why`, whatever the handler returns: it goes to the dead letters, if there
    /// are any. Of several calls of ack, nack and term, the last counts.
    void term(std::string why = {}) { decided_ = Outcome::term(std::move(why)); }
    /// Tells the server that work on the message goes on, so that it does not deliver the message again. freshet does
    /// this by itself while a handler runs. Has no effect on core NATS.
    void in_progress();
    /// Acknowledges the message now, and blocks until the server has confirmed it ("double ack"): afterwards the
    /// message is never delivered again. Throws Error when no confirmation came within `timeout` (0: the broker's
    /// request_timeout); the message may then be delivered again. Has no effect on core NATS.
    void ack_sync(std::chrono::milliseconds timeout = {});

    /// Publishes `value` for the handler. If the message came from a stream (js::Pull, js::Push), it is acknowledged
    /// only when a stream has confirmed that it stored `value`; if no stream does, the message is retried as if the
    /// handler had failed. A message that comes again stores nothing twice: `value` gets a `Nats-Msg-Id`, unless
    /// `options.headers` have one, that is made of the stream, consumer and sequence of the message, of `subject`, and
    /// of how many the handler has published there. Does not wait for the confirmation; blocks while 4,096 publications
    /// of the subscriber have none. A handler of batches publishes when it has returned, all at once if the stream has
    /// allow_atomic. For events that no stream stores, use Broker::publish.
    ///
    /// On core NATS this publishes as Broker::publish does. Throws Error: Errc::bad_subject, Condition::bad_payload,
    /// Errc::bad_setup for a `reply_to`, which only the publications of core subscribers have.
    template <class T>
    void publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_publish(subject, value, options));
    }
    template <class T>
    Expected<void> try_publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return publish_for(nullptr, subject, value, options);
    }
    /// Publishes `value` for one message of a batch, `context.items()[i]`. The message's own sequence is in the
    /// `Nats-Msg-Id`, so that nothing is stored twice when the message comes again in another batch.
    template <class T>
    void publish(const Item& item, std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(publish_for(&item, subject, value, options));
    }

    /// Returns why the delivery failed or was rejected; null if it did not fail. For middlewares, after they called
    /// `next`. An error that an on_error function has dealt with does not count.
    const Error* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
    /// Makes the message fail for the reason `why`, for middlewares that do not call `next`: a requester gets an error
    /// as the answer. Use it as `return context.fail(RemoteError{429, "too many"});`. A RemoteError of 400 to 499 is an
    /// answer, not a failure: see RemoteError.
    Outcome fail(Error why);
    /// Rejects the message as one that cannot be handled at all, for middlewares that do not call `next`: a requester
    /// gets an error as the answer, and the message is given up. Use it as `return context.reject(...)`.
    Outcome reject(Error why);
    /// Returns the broker's clock, which may be a virtual one in tests.
    Clock& clock() const noexcept;

    /// Returns the messages of the batch, for a handler that takes `std::span<const T>`. Throws Error(Errc::bad_setup)
    /// in any other handler.
    Items& items();

    /// Keeps a value for the rest of this delivery, one per type: an earlier value of that type is destroyed. Returns
    /// the stored value.
    template <class T>
    T& set(T value) {
        auto held = std::make_shared<T>(std::move(value));
        T& stored = *held;
        store(typeid(T), std::move(held));
        return stored;
    }
    /// Returns the value that set() keeps for a type, or null.
    template <class T>
    T* get() const noexcept {
        return static_cast<T*>(find(typeid(T)));
    }

private:
    friend struct detail::ContextAccess;

    template <class T>
    Expected<void> publish_for(const Item* item, std::string_view subject, const T& value,
                               const PublishOptions& options) {
        return detail::with_encoded(link(), value, options.format, [&](const detail::Encoded& encoded) {
            return publish_encoded(item, subject, encoded, options);
        });
    }
    Expected<void> publish_encoded(const Item* item, std::string_view subject, const detail::Encoded& encoded,
                                   const PublishOptions& options);
    detail::Link& link() const noexcept;
    void store(const std::type_info& type, std::shared_ptr<void> value);
    void* find(const std::type_info& type) const noexcept;

    detail::SubscriberCore* subscriber_;
    Message* message_;
    detail::DependencySlot* dependencies_ = nullptr;
    bool answered_ = false;
    bool answers_only_ = false;
    bool failed_ = false;
    bool rejected_ = false;
    bool decided_within_ = false;
    std::optional<Outcome> decided_ = {};
    std::optional<Error> failure_ = {};
    std::optional<Logger> logger_ = {};
    std::string made_correlation_id_ = {};
    std::vector<std::pair<const std::type_info*, std::shared_ptr<void>>> values_ = {};
};

}  // namespace freshet
