// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <freshet/client.hpp>
#include <freshet/depends.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/logger.hpp>
#include <freshet/options.hpp>
#include <freshet/publisher.hpp>
#include <freshet/replies.hpp>
#include <freshet/router.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

namespace freshet {
namespace detail {
class BrokerCore;
}

// Of <freshet/jetstream.hpp>, which those who call jetstream(), kv() or object_store() include.
namespace js {
class JetStream;
struct ContextOptions;
}  // namespace js
namespace kv {
template <class T>
class Kv;
struct Options;
}  // namespace kv
namespace obj {
class Store;
struct Options;
}  // namespace obj

/// What a broker has done so far.
struct BrokerStats {
    TransportStats transport = {};
    std::size_t subscribers = 0;
    std::size_t requests_in_flight = 0;
    std::uint64_t received = 0;  ///< by all subscribers; the next three too
    std::uint64_t failed = 0;
    std::uint64_t rejected = 0;
    std::uint64_t dropped = 0;
};

/// A connection to NATS and the handlers it serves: declare subscribers, then run().
///
/// Threads: publish, request, client, publisher, subscriber and stop may be called from any thread, also inside handlers;
/// provide only before start. Handlers run on the broker's threads (docs/threads.md). Not copyable, not movable: handlers
/// refer to it. Not usable in a child after fork(): create the broker after forking.
class Broker {
public:
    /// Connects later, in start(). Without options: $NATS_URL, else nats://localhost:4222.
    /// Throws Error(Errc::bad_setup) for options that contradict each other or the environment.
    explicit Broker(BrokerOptions options = {});
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;
    /// Like stop(), then waits for handlers that still run, however long they take. Inside a handler, on_event, or a function given to
    /// async, of this broker or any other, it does not wait: what waits is dropped or given back to its stream, and the broker ends
    /// in the background when its handlers have returned; they must not use it any more.
    ~Broker();

    /// Declares a subscriber of a subject that the compiler checks: `{name}` is one token, `*` and `>` as in NATS.
    /// Nothing happens until `.handle(...)`.
    template <FixedString Pattern>
    SubscriberBuilder<StaticSubject<Pattern>> subscriber(SubscriberOptions options = {}) {
        return {registry(), {std::string{StaticSubject<Pattern>::view()}, std::move(options), {}, nullptr, nullptr}};
    }
    /// The same for a subject known at run time; a bad one is reported by start().
    SubscriberBuilder<detail::RuntimeSubject> subscriber(std::string subject, SubscriberOptions options = {}) {
        return {registry(), {std::move(subject), std::move(options), {}, nullptr, nullptr}};
    }

    /// A subscriber of something else than a core NATS subject, such as `js::Pull{...}` of <freshet/jetstream.hpp>.
    template <FixedString Pattern, detail::SourceOptions Options>
    SubscriberBuilder<StaticSubject<Pattern>> subscriber(Options options) {
        auto [run, source] = make_source(std::move(options));
        return {registry(),
                {std::string{StaticSubject<Pattern>::view()}, std::move(run), {}, nullptr, std::move(source)}};
    }
    template <detail::SourceOptions Options>
    SubscriberBuilder<detail::RuntimeSubject> subscriber(std::string subject, Options options) {
        auto [run, source] = make_source(std::move(options));
        return {registry(), {std::move(subject), std::move(run), {}, nullptr, std::move(source)}};
    }
    /// The same for everything that the source has, whatever its subject.
    template <detail::SourceOptions Options>
    SubscriberBuilder<detail::RuntimeSubject> subscriber(Options options) {
        return subscriber(std::string{">"}, std::move(options));
    }

    /// Publishes and returns: the message is in the connection's buffer, no answer is awaited. Blocks only while that buffer is full.
    /// While reconnecting messages are kept up to ReconnectOptions::buffer_bytes. Throws Error: Errc::closed before start() and
    /// after stop(), Errc::buffer_full, Errc::payload_too_large, Errc::bad_subject.
    template <class T>
    void publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_publish(subject, value, options));
    }
    /// The same, the error as a value.
    template <class T>
    Expected<void> try_publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return detail::publish_value(link(), subject, value, options);
    }

    /// A typed publisher of a subject template, checked by the compiler.
    template <class T, FixedString Target>
    Publisher<T, Target> publisher(PublishOptions options = {}) {
        return {link(), SubjectTemplate{StaticTemplate<Target>::view()}, std::move(options)};
    }
    /// The same for a template known at run time. Throws Error(Errc::bad_subject).
    template <class T>
    Publisher<T> publisher(std::string_view subject, PublishOptions options = {}) {
        return {link(), SubjectTemplate{subject}, std::move(options)};
    }

    /// Asks and waits for one answer, decoded to R (a type with a codec, Message, or void). Throws Error: Condition::timeout after the
    /// deadline, no_responders at once when nobody listens, RemoteError when the other side failed.
    template <class R, class T>
    R request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        return value_or_raise(try_request<R>(subject, value, options));
    }
    /// The same, the error as a value.
    template <class R, class T>
    Expected<R> try_request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        return detail::with_encoded(link(), value, options.format, [&](const detail::Encoded& encoded) -> Expected<R> {
            return detail::decode_reply<R>(subject, detail::request(link(), subject, encoded, options));
        });
    }

    /// Asks and reads every answer until the deadline, a stall, or a number of answers (ADR-47):
    /// `for (auto& reply : broker.request_many<Status>("status.all", Ask{}, {.stall = 100ms}))`.
    template <class R, class T>
    Replies<R> request_many(std::string_view subject, const T& value, const RequestManyOptions& options = {}) {
        return value_or_raise(detail::with_encoded(
            link(), value, options.format, [&](const detail::Encoded& encoded) -> Expected<Replies<R>> {
                return Replies<R>{detail::request_many(link(), subject, encoded, options)};
            }));
    }

    /// A remote function: `broker.client<Invoice(const Order&)>("invoices.make")`. Throws Error(Errc::bad_subject), and
    /// Error(Errc::bad_setup) for a negative timeout.
    template <class Function>
    Client<Function> client(std::string subject, RequestOptions options = {}) {
        check_client(subject, options);
        return {link(), std::move(subject), std::move(options)};
    }

    /// JetStream, of the connection's own domain or of another. Needs <freshet/jetstream.hpp> and freshet::jetstream, as the next two do.
    js::JetStream jetstream();
    js::JetStream jetstream(const js::ContextOptions& options);
    /// A key-value bucket whose values are T.
    template <class T>
    freshet::kv::Kv<T> kv(std::string bucket);
    template <class T>
    freshet::kv::Kv<T> kv(std::string bucket, const freshet::kv::Options& options);
    /// A bucket of an object store.
    obj::Store object_store(std::string bucket);
    obj::Store object_store(std::string bucket, const obj::Options& options);

    /// Gives an object to handlers that ask for `Inject<T>`. One per type; before start().
    template <class T>
    Broker& provide(std::shared_ptr<T> object) {
        provide_erased(typeid(T), std::move(object));
        return *this;
    }
    template <class T>
        requires(!std::is_lvalue_reference_v<T>)
    Broker& provide(T&& object) {
        return provide(std::make_shared<T>(std::forward<T>(object)));
    }

    /// Puts a middleware around every handler of this broker: an object or a function `Outcome(Context&, Next)`, called from each
    /// thread that handles messages. Several: the first is the outermost. Before start(). See docs/middleware.md.
    template <class F>
    Broker& use(F&& middleware) {
        detail::add_middleware(layer("use"), std::forward<F>(middleware));
        return *this;
    }
    /// Puts a middleware around everything this broker publishes, answers and asks: `Expected<void>(Outgoing&, NextPublish)`, called
    /// from each thread that publishes. Before start().
    template <class F>
    Broker& use_publish(F&& middleware) {
        detail::add_publish_middleware(layer("use_publish"), std::forward<F>(middleware));
        return *this;
    }
    /// What to do when a handler, a dependency or a middleware fails with an E: `f(const E&, ...)`, further parameters filled like
    /// a handler's. A value it returns is the answer (it is not published), an Outcome settles the message, nothing means
    /// that the error is dealt with: the message is acknowledged. The nearest function counts (subscriber, router, broker), among
    /// those the one for the most derived type. For Error also what was returned as Expected, and what was rejected. Before start().
    template <class E, class F>
    Broker& on_error(F&& handler) {
        detail::add_error_handler<E, detail::RuntimeSubject>(layer("on_error"), std::forward<F>(handler));
        return *this;
    }
    /// Calls a function of Depends before every handler, whether it takes the result or not. Before start().
    template <auto Function>
    Broker& depends() {
        detail::add_dependency<Function, detail::RuntimeSubject>(layer("depends"));
        return *this;
    }

    /// Takes over the subscribers of a router: those declared until start(), or until now if the broker runs; then throws Error for
    /// what start() would report. Throws Error(Errc::bad_setup) if the router is included already.
    template <FixedString Prefix>
    Broker& include(const Router<Prefix>& router) {
        include_node(router.node());
        return *this;
    }

    /// For tests: whoever asks for `Depends<&f>` on this broker gets what `stand_in` returns; its parameters are filled in the same
    /// way. Before start().
    template <auto Function, class StandIn>
    void override_dependency(StandIn&& stand_in) {
        if (auto made = detail::make_replacement<Function>(std::forward<StandIn>(stand_in)))
            override_erased(&detail::dependency_key<Function>, std::move(made));
    }

    /// Connects and starts every subscriber; when it returns the server delivers to them. Blocks for
    /// BrokerOptions::start_timeout at most. Throws Error: Condition::bad_setup with every mistake found, or with the server's reason
    /// for a refusal, and inside a function given to async; Condition::disconnected when no server answered. After a throw nothing
    /// runs, or, inside a handler, will run when that has returned.
    void start();

    /// Stops: takes nothing new, lets running and waiting handlers finish, sends what they published, closes. Blocks for `timeout`
    /// and a second for closing at most; true if everything was handled. False: what waited is dropped, and a handler that still
    /// runs goes on, but its publications are refused. Called inside a handler, on_event, or a function given to async, of this broker or
    /// any other, it only begins the stop and returns true; while start() waits for a server it ends that. May be called more than
    /// once: a later call waits for the first one's stop, for its own timeout at most.
    bool stop(std::chrono::milliseconds timeout);
    bool stop();

    /// start(), then waits for SIGINT, SIGTERM or stop(), then stops. A second signal ends the process at once.
    void run();

    /// One round trip to the server on each connection. Throws Error: Condition::timeout, disconnected.
    std::chrono::nanoseconds ping(std::chrono::milliseconds timeout = std::chrono::milliseconds{2'000});

    /// Between a successful start() and the begin of a stop.
    bool running() const noexcept;
    ServerInfo server() const;
    BrokerStats stats() const;
    Logger& logger() noexcept;

    detail::BrokerCore& core() const noexcept { return *core_; }
    detail::Link& link() const noexcept { return *link_; }

private:
    detail::Registry& registry() noexcept;
    detail::Layer& layer(const char* what);
    void include_node(std::shared_ptr<detail::RouterNode> node);
    void override_erased(const void* key, std::shared_ptr<const void> replacement);
    void provide_erased(const std::type_info& type, std::shared_ptr<void> object);
    static void check_client(std::string_view subject, const RequestOptions& options);

    std::shared_ptr<detail::BrokerCore> core_;  // shared with the calls that run
    detail::Link* link_;                        // of core_
};

}  // namespace freshet
