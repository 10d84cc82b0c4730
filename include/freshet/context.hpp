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
#include <freshet/error.hpp>
#include <freshet/logger.hpp>
#include <freshet/message.hpp>
#include <freshet/outcome.hpp>

namespace freshet {

class Broker;
class Items;
class Clock;

namespace detail {
class SubscriberCore;
class DependencySlot;
struct ContextAccess;
}  // namespace detail

/// One delivery: the message, what was read from it, and what is to become of it. Lives for one call of a handler and
/// belongs to the thread that runs it.
class Context {
public:
    Context(detail::SubscriberCore& subscriber, Message& message) noexcept
        : subscriber_{&subscriber}, message_{&message} {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    const Message& message() const noexcept { return *message_; }
    std::string_view subject() const noexcept { return message_->subject(); }
    Broker& broker() const noexcept;
    /// Writes the fields of the message (docs/logging.md) with each line; they are read when one is written, so it is for the
    /// thread that runs the handler, as the message is.
    Logger& logger();

    /// The token of a `{name}` of the subscriber's subject, as text.
    std::optional<std::string_view> path(std::string_view name) const noexcept;

    /// The `correlation_id` header; if there is none that can be sent on, an id made at the first call. While a handler runs, its
    /// publications and requests carry the correlation id that the message came with or that was made here.
    std::string_view correlation_id();

    /// How the message is settled, if it should not follow from the handler's result. The last call counts. On core NATS
    /// nothing is sent: the outcome is counted and logged.
    void ack() { decided_ = Outcome::ack; }
    void nack(std::chrono::nanoseconds delay = {}) { decided_ = Outcome::nack(delay); }
    void term(std::string why = {}) { decided_ = Outcome::term(std::move(why)); }
    /// Tells the server that work goes on, so that it does not deliver the message again; freshet does that by itself while
    /// a handler runs. Nothing on core NATS.
    void in_progress();
    /// Acknowledges now, and blocks until the server has confirmed it ("double ack"): afterwards the message is never
    /// delivered again. Throws Error when no confirmation came within `timeout` (0: the broker's request_timeout): then it
    /// may be. Nothing on core NATS.
    void ack_sync(std::chrono::milliseconds timeout = {});

    /// Why the delivery failed, or was rejected; null if it has not. For middlewares, after `next`; an error that on_error
    /// has seen to is none.
    const Error* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
    /// For middlewares that do not call `next`: the message has failed for this reason (who asked is told), or cannot be
    /// handled at all. `return context.fail(RemoteError{429, "too many"});`
    Outcome fail(Error why);
    Outcome reject(Error why);
    /// The broker's clock: in tests it may be a virtual one.
    Clock& clock() const noexcept;

    /// The messages of the batch, for a handler of `std::span<const T>`. Throws Error(Errc::bad_setup) outside of one.
    Items& items();

    /// Keeps a value for the rest of this delivery, one per type.
    template <class T>
    T& set(T value) {
        auto held = std::make_shared<T>(std::move(value));
        T& stored = *held;
        store(typeid(T), std::move(held));
        return stored;
    }
    /// The value kept for a type, or null.
    template <class T>
    T* get() const noexcept {
        return static_cast<T*>(find(typeid(T)));
    }

private:
    friend struct detail::ContextAccess;

    void store(const std::type_info& type, std::shared_ptr<void> value);
    void* find(const std::type_info& type) const noexcept;

    detail::SubscriberCore* subscriber_;
    Message* message_;
    detail::DependencySlot* dependencies_ = nullptr;
    bool answered_ = false;
    bool answers_only_ = false;
    bool failed_ = false;
    bool decided_within_ = false;
    std::optional<Outcome> decided_ = {};
    std::optional<Error> failure_ = {};
    std::optional<Logger> logger_ = {};
    std::string made_correlation_id_ = {};
    std::vector<std::pair<const std::type_info*, std::shared_ptr<void>>> values_ = {};
};

}  // namespace freshet
