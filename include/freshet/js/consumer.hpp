// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/js/consumer_info.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/priority.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {
class Acknowledger;
class JsApi;
class PulledMessages;
}  // namespace freshet::detail

namespace freshet::js {

/// A message that a program without handlers took from a consumer. Settle it by one of its functions; otherwise the
/// server delivers it again after ack_wait. If its consumer was made anew since, its settlement is not sent, because it
/// would mean another message. freshet notices that after a loss of the connection, and when it takes more messages
/// from the consumer. Move-only; one thread at a time; must not outlive the broker. It answers the questions of
/// MessageQuestions.
class Delivery : public MessageQuestions<Delivery> {
public:
    Delivery(std::shared_ptr<const detail::JsApi> api, Message message,
             std::shared_ptr<detail::Acknowledger> acknowledger = {}, std::uint64_t incarnation = 0) noexcept
        : api_{std::move(api)},
          message_{std::move(message)},
          acknowledger_{std::move(acknowledger)},
          incarnation_{incarnation} {}

    /// Returns the message.
    const Message& message() const noexcept { return message_; }
    const Message& operator*() const noexcept { return message_; }
    const Message* operator->() const noexcept { return &message_; }

    /// Acknowledges the message: it is done. Does not wait for the server. Throws Errc::closed after the broker's stop.
    void ack() const { send("+ACK"); }
    /// Asks the server to deliver the message again, after `delay`; 0: at once. Throws Errc::closed after the broker's
    /// stop.
    void nack(std::chrono::nanoseconds delay = {}) const;
    /// Tells the server never to deliver the message again. Throws Errc::closed after the broker's stop.
    void term() const { send("+TERM"); }
    /// Tells the server that work goes on: ack_wait begins anew. Throws Errc::closed after the broker's stop.
    void in_progress() const { send("+WPI"); }
    /// Acknowledges the message and blocks until the server has confirmed it. Throws Error when no confirmation came in
    /// time.
    void ack_sync() const;

private:
    void send(std::string_view word) const;

    std::shared_ptr<const detail::JsApi> api_;
    Message message_;
    std::shared_ptr<detail::Acknowledger> acknowledger_ = {};  // null: settles without looking after the consumer
    std::uint64_t incarnation_ = 0;                            // of the consumer that delivered it
};

/// Options of Consumer::fetch.
struct FetchOptions {
    std::size_t messages = 1;                 ///< the most messages
    std::size_t bytes = 0;                    ///< the most bytes, payloads and headers together; 0: no limit
    std::chrono::milliseconds within{5'000};  ///< how long to wait for them; 0: takes only those there now
    std::string group = {};                   ///< priority group, if the consumer has groups; short for `priority`
    Priority priority = {};                   ///< for consumers with priority groups
};

/// Options of Consumer::messages.
struct MessagesOptions {
    std::size_t prefetch = 64;                   ///< messages taken from the server ahead of the loop
    std::chrono::milliseconds heartbeat{5'000};  ///< after a silence of twice this, freshet checks the consumer
    Priority priority = {};                      ///< for consumers with priority groups
};

/// The messages of a consumer as a range: `for (auto& delivery : consumer.messages())`. Its destructor gives the
/// messages that you have not taken back to the server. One thread at a time; call drain and stop from any thread.
class Deliveries {
public:
    explicit Deliveries(std::unique_ptr<detail::PulledMessages> messages) noexcept;
    Deliveries(Deliveries&&) noexcept;
    Deliveries& operator=(Deliveries&&) = delete;
    ~Deliveries();

    /// Blocks until a message is there and returns it. Returns nothing when `timeout` has passed, or when the range has
    /// ended.
    /// Throws Error when the server refuses to deliver, Errc::consumer_not_found or stream_not_found when the consumer
    /// or its stream is gone; you may go on afterwards: freshet looks for the consumer until stop(). Throws
    /// Errc::bad_setup if it would have to block inside a function given to async.
    std::optional<Delivery> next(std::chrono::milliseconds timeout);
    /// Takes nothing more from the server: the range ends when you have taken the messages that are here already. Does
    /// not block.
    void drain() noexcept;
    /// Ends the range, and gives the messages that you have not taken back to the server.
    void stop();

    class Iterator {
    public:
        using value_type = Delivery;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(Deliveries& deliveries) : deliveries_{&deliveries} { ++*this; }
        Delivery& operator*() const noexcept { return *current_; }
        Iterator& operator++();
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept { return !a.current_; }

    private:
        Deliveries* deliveries_ = nullptr;
        mutable std::optional<Delivery> current_ = {};
    };
    /// Returns an iterator whose increments block until a message is there, and throw as next() does. The range ends
    /// after drain(), at stop(), or when the broker stops.
    Iterator begin() { return Iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    std::unique_ptr<detail::PulledMessages> messages_;
};

/// One consumer of a stream, by name: broker.jetstream().consumer("ORDERS", "billing"). Takes messages in programs that
/// are not services, and looks at consumers and manages them. freshet does not check that the consumer exists before
/// you use it. Cheap to copy; thread-safe; blocks as JetStream does; must not outlive the broker. Every function throws
/// Error; its try_ twin returns the error as a value.
class Consumer {
public:
    Consumer(std::shared_ptr<const detail::JsApi> api, std::string stream, std::string name)
        : api_{std::move(api)}, stream_{std::move(stream)}, name_{std::move(name)} {}

    const std::string& stream() const noexcept { return stream_; }
    const std::string& name() const noexcept { return name_; }

    /// Makes sure that the consumer exists, as a durable consumer that clients pull from, and returns it. With
    /// Acks::flow_control, as one that a mirror or source reads through (StreamSource::consumer).
    ConsumerInfo declare(const ConsumerConfig& config = {}, Declare declare = Declare::create_if_missing) const {
        return value_or_raise(try_declare(config, declare));
    }
    Expected<ConsumerInfo> try_declare(const ConsumerConfig& config = {},
                                       Declare declare = Declare::create_if_missing) const;

    /// Returns the settings and the state of the consumer.
    ConsumerInfo info() const { return value_or_raise(try_info()); }
    Expected<ConsumerInfo> try_info() const;

    /// Removes the consumer and its record of deliveries. Throws Errc::consumer_not_found if there is none.
    void remove() const { value_or_raise(try_remove()); }
    Expected<void> try_remove() const;

    /// Pauses the consumer: it delivers nothing until `until`, or until resume(). Server 2.11.
    void pause(std::chrono::system_clock::time_point until) const { value_or_raise(try_pause(until)); }
    Expected<void> try_pause(std::chrono::system_clock::time_point until) const;
    /// Ends the pause. Server 2.11.
    void resume() const { value_or_raise(try_resume()); }
    Expected<void> try_resume() const;

    /// Takes the pin of a priority group from the client that has it, so that another one gets the messages. Server
    /// 2.11.
    void unpin(const std::string& group) const { value_or_raise(try_unpin(group)); }
    Expected<void> try_unpin(const std::string& group) const;

    /// Makes the consumer begin again: with the first message whose sequence is at least `sequence`, or that was stored
    /// at `time` or later; without an argument, with the first one that is not acknowledged. Messages that were
    /// delivered and not settled are forgotten, and come again if they are not before that. Returns the sequence of the
    /// stream with which it begins. Subscribers of the consumer go on with it. Only a consumer with Deliver::all,
    /// from_sequence or from_time can be told where, and not before its own beginning. Server 2.14.
    std::uint64_t reset(std::uint64_t sequence) const { return value_or_raise(try_reset(sequence)); }
    std::uint64_t reset(std::chrono::system_clock::time_point time) const { return value_or_raise(try_reset(time)); }
    std::uint64_t reset() const { return value_or_raise(try_reset()); }
    Expected<std::uint64_t> try_reset(std::uint64_t sequence) const;
    Expected<std::uint64_t> try_reset(std::chrono::system_clock::time_point time) const;
    Expected<std::uint64_t> try_reset() const;

    /// Blocks until a message is there and returns it; returns nothing if none came within `within` (0: if none is
    /// there now).
    std::optional<Delivery> next(std::chrono::milliseconds within = std::chrono::milliseconds{5'000}) const {
        return value_or_raise(try_next(within));
    }
    Expected<std::optional<Delivery>> try_next(std::chrono::milliseconds within) const;

    /// Blocks until it has FetchOptions::messages messages or the time is over, and returns those it has. Throws only
    /// if it has none.
    std::vector<Delivery> fetch(const FetchOptions& options) const { return value_or_raise(try_fetch(options)); }
    Expected<std::vector<Delivery>> try_fetch(const FetchOptions& options) const;

    /// Returns the messages as a range that goes on until you stop it. Takes MessagesOptions::prefetch messages ahead
    /// of your loop. Throws Errc::consumer_not_found if there is none.
    Deliveries messages(const MessagesOptions& options = {}) const { return value_or_raise(try_messages(options)); }
    Expected<Deliveries> try_messages(const MessagesOptions& options = {}) const;

private:
    std::shared_ptr<const detail::JsApi> api_;
    std::string stream_;
    std::string name_;
};

}  // namespace freshet::js
