// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/logger.hpp>
#include <freshet/options.hpp>
#include <freshet/outgoing.hpp>
#include <freshet/transport.hpp>

#include "link/background.hpp"
#include "link/broker_clock.hpp"
#include "link/connection_watcher.hpp"
#include "link/declarations.hpp"
#include "link/failure_log.hpp"
#include "link/request_mux.hpp"
#include "link/traffic.hpp"

namespace freshet::detail {

class RequestGroup;

/// The senders whose answers a request accepts.
enum class AnswersOf : std::uint8_t {
    anybody,
    services,  ///< without the acknowledgement of a stream that stores the subject; on subjects that begin with `$`,
               ///< the protocol of servers, everybody's
};

/// The half of a broker that sends and asks: its transport, requests, publish middleware, clock, logger. Knows no
/// subscribers. The broker opens and closes it; everything that sends a message refers to it. Functions are thread-safe
/// unless they say otherwise.
class Link {
public:
    using MakeTransport = TransportFactory;

    Link(BrokerOptions options, const MakeTransport& make_transport);

    /// Replaces the transport, unless the factory is empty, and the clock and the logger, unless they are null. Not
    /// thread-safe; before open().
    void replace(const MakeTransport& make_transport, std::shared_ptr<Clock> clock,
                 std::shared_ptr<spdlog::logger> logger = {});
    /// Sets what publications pass outside of handlers. Not thread-safe; before open().
    void set_publish_steps(std::vector<PublishStep*> steps);
    /// Announces that some subscriber has publish middleware.
    void expect_publish_steps() noexcept { around_publications_.store(true, std::memory_order_relaxed); }

    /// Opens the transport, see Transport::open, and from then on tells the watchers of each loss at once. Fails, too,
    /// if there is no thread for deadlines.
    Expected<void> connect(std::chrono::milliseconds wait, EventSink events);
    /// Lets messages leave: the transport is connected.
    void open() noexcept { phase_.store(Phase::open, std::memory_order_release); }
    /// Refuses publications and requests from now on.
    void close() noexcept { phase_.store(Phase::closed, std::memory_order_release); }
    /// Returns true while messages can leave: while the broker runs, and while handlers finish during a stop.
    bool is_open() const noexcept;
    /// Ends the requests in flight with `error`, and refuses new ones.
    void close_requests(const Error& error) noexcept;

    /// Sends a message whose subject has been checked, through the publish middleware and with the envelope's headers.
    /// Returns the exception of a middleware as an error.
    Expected<void> send(const Publication& publication, std::string_view content_type,
                        Outgoing::Kind kind = Outgoing::Kind::event) noexcept;
    /// Sends as send() does, and counts the message.
    Expected<void> send_counted(PublishCounts& counts, const Publication& publication, std::string_view content_type,
                                Outgoing::Kind kind = Outgoing::Kind::event) noexcept {
        return counts.count(*clock_, [&] { return send(publication, content_type, kind); });
    }
    /// Sends without running publish middleware.
    Expected<void> send_enveloped(const Publication& publication, std::string_view content_type);
    /// Checks and sends a message. Fails if the link is not open.
    Expected<void> publish(std::string_view subject, const Encoded& encoded, const PublishOptions& options);
    /// Publishes as publish() does, and counts the message.
    Expected<void> publish_counted(PublishCounts& counts, std::string_view subject, const Encoded& encoded,
                                   const PublishOptions& options);

    /// Sends a request, and blocks until the answer, the deadline, or close_requests(). Fails if may_wait() is false.
    Expected<Message> request(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                              AnswersOf whose = AnswersOf::anybody, RequestTimer timer = {});
    /// Sends a request that `group` may end, and blocks as request() does.
    Expected<Message> request_in(RequestGroup& group, std::string_view subject, const Encoded& encoded,
                                 const RequestOptions& options);
    /// Sends a request without blocking. Calls `handler` once, also if nothing could be sent. Lane::deliveries: after
    /// what was sent on that lane before.
    void request_async(std::string_view subject, const Encoded& encoded, const RequestOptions& options,
                       ReplyHandler handler, AnswersOf whose = AnswersOf::anybody, RequestTimer timer = {},
                       freshet::Lane lane = freshet::Lane::replies);
    /// Sends a request on a subject that has been checked. `sink` gets the answer and must live until its on_end. If
    /// this fails, there is no request, and the sink is not called.
    Expected<void> request_into(ReplySink& sink, std::string_view subject, const Encoded& encoded,
                                const RequestOptions& options, freshet::Lane lane = freshet::Lane::replies);
    /// Sends a request for many answers. Returns a queue of the answers, which holds an error if nothing could be sent.
    std::unique_ptr<ReplyQueue> request_many(std::string_view subject, const Encoded& encoded,
                                             const RequestManyOptions& options, AnswersOf whose = AnswersOf::anybody,
                                             RequestTimer timer = {});

    /// Tells `watcher`, as long as it lives, when the connection is lost and when it is back.
    void watch(std::weak_ptr<ConnectionWatcher> watcher);
    /// Writes "what: why" to the log, or counts it if many came: see FailureLog.
    void report(FailureLog::Kind kind, std::string_view what, const Error& why,
                LogLevel level = LogLevel::error) noexcept {
        failures_.write(logger_, kind, what, why, level);
    }
    /// Writes a log line for `event`, or counts it.
    void log(const ConnectionEvent& event) noexcept;
    /// Calls BrokerOptions::on_event no more, because the objects that it refers to may be gone.
    void forget_listener() noexcept { has_listener_.store(false, std::memory_order_relaxed); }
    /// Ends every timer of the broker. Call it after the transport was closed, and not inside a timer.
    void stop_timers() noexcept {
        failures_.finish();
        clock_->retire();
    }
    /// Returns the count of threads that work for the broker beside its subscribers.
    Background& background() noexcept { return background_; }
    /// Tells the watchers and BrokerOptions::on_event of `event`.
    void tell(const ConnectionEvent& event) noexcept;

    /// Blocks for a round trip to the server on each connection. Returns how long it took.
    Expected<std::chrono::nanoseconds> ping(std::chrono::milliseconds timeout);
    ServerInfo server() const { return transport_->server(); }
    std::size_t requests_in_flight() const noexcept { return mux_.in_flight(); }

    Declarations& declarations() noexcept { return declarations_; }
    const Declarations& declarations() const noexcept { return declarations_; }

    Logger& logger() noexcept { return logger_; }
    /// Returns what is counted of that which this link sends and asks.
    Traffic& traffic() noexcept { return traffic_; }
    const Traffic& traffic() const noexcept { return traffic_; }
    Clock& clock() const noexcept { return *clock_; }
    /// Returns the clock, shared, for threads that wait and may outlive the broker.
    std::shared_ptr<Clock> shared_clock() const noexcept { return clock_; }
    const BrokerOptions& options() const noexcept { return options_; }
    Transport& transport() const noexcept { return *transport_; }
    /// Returns the token that asks handlers to end. The broker requests it when it begins to stop.
    std::stop_token stop_token() const noexcept { return stop_source_.get_token(); }
    /// Requests it. Runs functions that users have registered for it.
    void request_stop() noexcept;

private:
    enum class Phase : std::uint8_t { idle, open, closed };

    Expected<void> open_inbox();
    /// Ends the requests that the server has refused, and those whose answers it does not let come.
    void on_refused(const ConnectionEvent& event) noexcept;
    /// Lets requests ask again after a reconnect, since rights may have changed.
    void forget_refusal() noexcept;
    bool hurries_request() const;
    /// Calls BrokerOptions::on_event, one call at a time. An event that comes inside a call follows when that call has
    /// returned.
    void tell_listener(const ConnectionEvent& event) noexcept;
    void call_listener(const ConnectionEvent& event) noexcept;
    template <class Tell>
    void tell_watchers(Tell tell) noexcept;
    void tell_change(ConnectionChange change) noexcept;
    /// Returns the error of `what` on `subject` while is_open() is false.
    Error not_open(std::string_view what, std::string_view subject) const;
    std::chrono::milliseconds timeout_or_default(std::chrono::milliseconds timeout) const noexcept;
    /// Returns the middleware around a publication of this thread: that of the handler that the thread runs, else the
    /// broker's.
    std::span<PublishStep* const> publish_steps() const noexcept;
    Expected<void> send_around(const Publication& publication, std::string_view content_type, Outgoing::Kind kind);
    /// Opens a ticket, then sends the request, on a subject that has been checked. Throws only before there is a
    /// ticket.
    template <class Options, class Open>
    Expected<RequestMux::Ticket> ask(std::string_view subject, const Encoded& encoded, const Options& options,
                                     Open&& open_ticket, freshet::Lane lane = freshet::Lane::replies);

    BrokerOptions options_;
    Logger logger_;
    std::shared_ptr<BrokerClock> clock_;
    FailureLog failures_{*this, {}};
    Background background_ = {};
    Traffic traffic_ = {};  // before the requests, whose ends it counts
    std::unique_ptr<Transport> transport_;
    RequestMux mux_;
    std::unique_ptr<TransportSubscription> inbox_ = {};
    std::mutex inbox_mutex_ = {};
    std::atomic<bool> inbox_open_ = false;
    std::optional<Error> inbox_refused_ = {};  // guarded by inbox_mutex_

    std::atomic<Phase> phase_ = Phase::idle;
    std::atomic<bool> around_publications_ = false;  // there is publish middleware, of the broker or of a subscriber
    std::vector<PublishStep*> publish_steps_ = {};
    std::stop_source stop_source_ = {};
    std::atomic<bool> has_listener_;
    std::mutex event_mutex_ = {};               // guards calls of on_event, and later_
    std::atomic<std::thread::id> teller_ = {};  // the thread that is in such a call
    std::deque<ConnectionEvent> later_ = {};    // that came inside the call
    std::mutex watchers_mutex_ = {};
    std::vector<std::weak_ptr<ConnectionWatcher>> watchers_ = {};
    Declarations declarations_ = {};
};

inline constexpr std::string_view correlation_header = "correlation_id";

/// Returns the correlation id of the delivery that this thread handles, empty if there is none.
std::string_view correlation_in_scope();

}  // namespace freshet::detail
