// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <freshet/broker_stats.hpp>
#include <freshet/client.hpp>
#include <freshet/depends.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/detail/misspelt_option.hpp>
#include <freshet/detail/not_included.hpp>
#include <freshet/format.hpp>
#include <freshet/health.hpp>
#include <freshet/logger.hpp>
#include <freshet/options.hpp>
#include <freshet/publisher.hpp>
#include <freshet/replies.hpp>
#include <freshet/router.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

namespace freshet {

struct Description;  // declared in <freshet/describe.hpp>, which you include to call describe()

// The types of services: include <freshet/service.hpp> to use them.
class Service;
class Services;
struct ServiceOptions;
struct DiscoveryOptions;

// The types of the module jetstream: include <freshet/jetstream.hpp> and link freshet::jetstream to use them.
namespace js {
class JetStream;  // include <freshet/jetstream.hpp>
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

namespace detail {

class BrokerCore;

/// A type that <freshet/jetstream.hpp> defines.
template <class T>
struct OfJetstream {
    static_assert(
        requires { sizeof(T); },
        "freshet: JetStream, buckets and object stores need #include <freshet/jetstream.hpp>, and the CMake target "
        "freshet::jetstream. See docs/jetstream.md");
    using Type = T;
};

}  // namespace detail

/// A connection to NATS and the handlers it serves: declare subscribers, then call run().
///
/// Threads: publish, request, client, publisher, subscriber and stop may be called from any thread, also inside
/// handlers; provide only before start(). Handlers run on the broker's threads (docs/threads.md). A broker is neither
/// copyable nor movable, since handlers refer to it. It does not work in a child process after fork(): create the
/// broker after forking.
class Broker : detail::MisspeltOption {
public:
    /// Stores the options; the connection is made by start(). Without options the server is $NATS_URL, else
    /// nats://localhost:4222. Throws Error(Errc::bad_setup) for options that contradict each other or the environment.
    explicit Broker(BrokerOptions options = {});
    /// Sends and receives over the transport that `transport` makes instead of one to a nats-server. Throws what
    /// `transport` throws, and Error(Errc::bad_setup) if it makes none. See docs/transports.md.
    Broker(BrokerOptions options, TransportFactory transport);
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;
    /// Stops the broker with BrokerOptions::stop_timeout, then blocks until every handler has returned, however long
    /// that takes. Inside a handler or any other function of yours that freshet calls, of any broker, it does not
    /// block: waiting messages are dropped or given back to their stream, and the broker ends in the background when
    /// its handlers have returned; they must not use it any more. In a child process after fork() it does nothing.
    ~Broker();

    /// Declares a subscriber of a subject that the compiler checks: `{name}` stands for one token, `*` and `>` mean
    /// what they mean in NATS. Nothing is registered until you call `.handle(...)` on the result.
    template <FixedString Pattern>
    SubscriberBuilder<StaticSubject<Pattern>> subscriber(SubscriberOptions options = {}) {
        return {registry(), {std::string{StaticSubject<Pattern>::view()}, std::move(options), {}, nullptr, nullptr}};
    }
    /// Declares a subscriber of a subject known at run time; start() reports a subject that is not valid. Nothing is
    /// registered until you call `.handle(...)` on the result.
    SubscriberBuilder<detail::RuntimeSubject> subscriber(std::string subject, SubscriberOptions options = {}) {
        return {registry(), {std::move(subject), std::move(options), {}, nullptr, nullptr}};
    }

    /// Declares a subscriber of a source other than core NATS, such as `js::Pull{...}` of <freshet/jetstream.hpp>, with
    /// a subject that the compiler checks.
    template <FixedString Pattern, detail::SourceOptions Options>
    SubscriberBuilder<StaticSubject<Pattern>> subscriber(Options options) {
        auto [run, source] = make_source(std::move(options));
        return {registry(),
                {std::string{StaticSubject<Pattern>::view()}, std::move(run), {}, nullptr, std::move(source)}};
    }
    /// Declares a subscriber of a source other than core NATS with a subject known at run time, which start() checks.
    template <detail::SourceOptions Options>
    SubscriberBuilder<detail::RuntimeSubject> subscriber(std::string subject, Options options) {
        auto [run, source] = make_source(std::move(options));
        return {registry(), {std::move(subject), std::move(run), {}, nullptr, std::move(source)}};
    }
    /// Declares a subscriber of every message that the source delivers, whatever its subject.
    template <detail::SourceOptions Options>
    SubscriberBuilder<detail::RuntimeSubject> subscriber(Options options) {
        return subscriber(std::string{">"}, std::move(options));
    }

    using MisspeltOption::subscriber;

    /// Publishes `value` and returns as soon as the message is in the connection's buffer; no answer of the server is
    /// awaited. Blocks only while that buffer is full, for BrokerOptions::write_timeout at most, or while a reconnect
    /// is being tried, for connect_timeout at most. While there is no server, messages are kept up to
    /// ReconnectOptions::buffer_bytes. May be called from any thread, also inside handlers. Throws Error: Errc::closed
    /// before start() and after stop(), Errc::buffer_full, Errc::disconnected, Errc::payload_too_large,
    /// Errc::bad_payload for a value that cannot be encoded, Errc::bad_subject.
    template <class T>
    void publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        value_or_raise(try_publish(subject, value, options));
    }
    /// Publishes `value` as publish() does, but returns the Error instead of throwing it.
    template <class T>
    Expected<void> try_publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        return detail::publish_value(link(), detail::publish_counts(link()), subject, value, options);
    }

    /// Returns a typed publisher of a subject template that the compiler checks. `about` is what descriptions tell of
    /// it. May be called from any thread.
    template <class T, FixedString Target>
    Publisher<T, Target> publisher(PublishOptions options = {}, About about = {}) {
        detail::declare_outgoing(link(), Target.view(), detail::publisher_shape<T>, options.format, std::move(about));
        return {link(), SubjectTemplate{StaticTemplate<Target>::view()}, std::move(options)};
    }
    /// Returns a typed publisher of a subject template known at run time. Throws Error(Errc::bad_subject). May be
    /// called from any thread.
    template <class T>
    Publisher<T> publisher(std::string_view subject, PublishOptions options = {}, About about = {}) {
        SubjectTemplate parsed{subject};
        detail::declare_outgoing(link(), subject, detail::publisher_shape<T>, options.format, std::move(about));
        return {link(), std::move(parsed), std::move(options)};
    }

    /// Sends `value` as a request and blocks until an answer comes, which is decoded to R (a type with a codec,
    /// Message, or void), or until the deadline. May be called from any thread; inside a handler it occupies that
    /// handler's thread (docs/threads.md). Throws Error: Condition::timeout after the deadline,
    /// Condition::no_responders at once when nobody listens, Condition::disconnected, Condition::bad_payload for a
    /// value or an answer that its codec refuses, Errc::bad_subject; RemoteError when the other side answered with an
    /// error (ADR-32).
    template <class R, class T>
    R request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        return value_or_raise(try_request<R>(subject, value, options));
    }
    /// Asks and waits as request() does, but returns the Error instead of throwing it.
    template <class R, class T>
    Expected<R> try_request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        return detail::with_encoded(link(), value, options.format, [&](const detail::Encoded& encoded) -> Expected<R> {
            return detail::decode_reply<R>(subject, detail::request(link(), detail::request_counts(link()), subject,
                                                                    encoded, options));
        });
    }

    /// Sends `value` as a request and returns a range over all answers, which ends at the deadline, after a pause
    /// without answers, or at a number of answers (ADR-47): `for (auto& reply :
    /// broker.request_many<Status>("status.all", Ask{}, {.stall = 100ms}))`. Returns at once; reading the range blocks.
    /// Throws Error(Errc::bad_payload) for a value that cannot be encoded; every other error, such as
    /// Condition::no_responders, is an element of the range.
    template <class R, class T>
    Replies<R> request_many(std::string_view subject, const T& value, const RequestManyOptions& options = {}) {
        return value_or_raise(detail::with_encoded(
            link(), value, options.format, [&](const detail::Encoded& encoded) -> Expected<Replies<R>> {
                return Replies<R>{detail::request_many(link(), subject, encoded, options)};
            }));
    }

    /// Returns a remote function: `broker.client<Invoice(const Order&)>("invoices.make")`. Descriptions tell `about`.
    /// Throws Error(Errc::bad_subject), and Error(Errc::bad_setup) for a negative timeout. Thread-safe.
    template <class Function>
    Client<Function> client(std::string subject, RequestOptions options = {}, About about = {}) {
        check_client(subject, options);
        detail::declare_outgoing(link(), subject, detail::client_shape<Function>, options.format, std::move(about));
        return {link(), std::move(subject), std::move(options)};
    }

    // The functions below need <freshet/jetstream.hpp> and the target freshet::jetstream. Their template arguments are
    // not yours to give: they say so where the header is missing.

    /// Returns JetStream of the connection's own domain.
    template <class JetStream = js::JetStream>
    typename detail::OfJetstream<JetStream>::Type jetstream() {
        link_the_target_freshet_jetstream();
        return JetStream{link()};
    }
    /// Returns JetStream of the domain or the API prefix that `options` name.
    template <class JetStream = js::JetStream>
    typename detail::OfJetstream<JetStream>::Type jetstream(const js::ContextOptions& options) {
        link_the_target_freshet_jetstream();
        return JetStream{link(), options};
    }
    /// Returns a key-value bucket whose values are of type T.
    template <class T, class Kv = freshet::kv::Kv<T>>
    typename detail::OfJetstream<Kv>::Type kv(std::string bucket);
    /// Returns a key-value bucket with options, whose values are of type T.
    template <class T, class Kv = freshet::kv::Kv<T>>
    typename detail::OfJetstream<Kv>::Type kv(std::string bucket, const freshet::kv::Options& options);
    /// Returns a bucket of an object store.
    template <class Store = obj::Store>
    typename detail::OfJetstream<Store>::Type object_store(std::string bucket) {
        link_the_target_freshet_jetstream();
        return Store::open(link(), std::move(bucket));
    }
    /// Returns a bucket of an object store with options.
    template <class Store = obj::Store>
    typename detail::OfJetstream<Store>::Type object_store(std::string bucket, const obj::Options& options) {
        link_the_target_freshet_jetstream();
        return Store::open(link(), std::move(bucket), options);
    }

    /// Gives an object to handlers that take `Inject<T>`; one object per type, a second call replaces it. Throws
    /// Error(Errc::bad_setup) after start().
    template <class T>
    Broker& provide(std::shared_ptr<T> object) {
        provide_erased(typeid(T), std::move(object));
        return *this;
    }
    /// Takes over an object and gives it to handlers that take `Inject<T>`. Throws Error(Errc::bad_setup) after
    /// start().
    template <class T, class Deleter>
    Broker& provide(std::unique_ptr<T, Deleter> object) {
        return provide(std::shared_ptr<T>{std::move(object)});
    }
    /// Gives an object that must outlive the broker to handlers that take `Inject<T>`. Throws Error(Errc::bad_setup)
    /// after start().
    template <class T>
    Broker& provide(T* object) {
        static_assert(std::is_class_v<T> && !std::is_const_v<T>,
                      "freshet: provide takes an object, or a pointer to one that is not const: handlers take it as "
                      "Inject<T>. See docs/handlers.md#inject");
        return provide(std::shared_ptr<T>{std::shared_ptr<void>{}, object});
    }
    /// Moves `object` into the broker and gives it to handlers that take `Inject<T>`. Throws Error(Errc::bad_setup)
    /// after start().
    template <class T>
    Broker& provide(T&& object) {
        static_assert(
            !std::is_lvalue_reference_v<T>,
            "freshet: provide does not copy: give it &object, which must outlive the broker, std::move(object), "
            "or a std::shared_ptr. See docs/handlers.md#inject");
        return provide(std::make_shared<std::remove_cvref_t<T>>(std::forward<T>(object)));
    }

    /// Puts a middleware around every handler of this broker: an object or a function `Outcome(Context&, Next)`, called
    /// from each thread that handles messages. Of several, the first is the outermost. Throws Error(Errc::bad_setup)
    /// after start(). See docs/middleware.md.
    template <class F>
    Broker& use(F&& middleware) {
        detail::add_middleware(layer("use"), std::forward<F>(middleware));
        return *this;
    }
    /// Puts a middleware around everything that this broker publishes, answers and asks: an object or a function
    /// `Expected<void>(Outgoing&, NextPublish)`, called from each thread that publishes. Of several, the first is the
    /// outermost. Throws Error(Errc::bad_setup) after start().
    template <class F>
    Broker& use_publish(F&& middleware) {
        detail::add_publish_middleware(layer("use_publish"), std::forward<F>(middleware));
        return *this;
    }
    /// Sets the function that is called when a handler, a dependency or a middleware fails with an E:
    /// `f(const E&, ...)`, whose further parameters are filled like a handler's. A value that it returns is sent as the
    /// answer (it is not published); a RemoteError that it returns or throws is the answer too; an Outcome settles the
    /// message; a function that returns nothing says that the error is dealt with, and the message is acknowledged. The
    /// nearest function counts (first the subscriber's, then the router's, then the broker's), and among those of one
    /// place the function for the most derived type. The function for Error also gets errors that a handler returned as
    /// Expected, and the reason of a rejected message.
    /// Throws Error(Errc::bad_setup) after start().
    template <class E, class F>
        requires(!std::is_integral_v<std::remove_cvref_t<F>>)
    Broker& on_error(F&& handler) {
        detail::add_error_handler<E, detail::RuntimeSubject>(layer("on_error"), std::forward<F>(handler));
        return *this;
    }
    /// Answers with the error `code` when a handler, a dependency or a middleware fails with an E, as if the handler
    /// had thrown a RemoteError: `broker.on_error<NotFound>(404)`. The caller reads `description`; if that is empty,
    /// the what() of the exception, but for codes of 500 and more only what BrokerOptions::expose_errors allows. Throws
    /// Error(Errc::bad_setup) after start().
    template <class E>
    Broker& on_error(int code, std::string description = {}) {
        detail::add_error_code<E, detail::RuntimeSubject>(layer("on_error"), code, std::move(description));
        return *this;
    }
    /// Calls a function of Depends before every handler, whether the handler takes its result or not. Throws
    /// Error(Errc::bad_setup) after start().
    template <auto Function>
    Broker& depends() {
        detail::add_dependency<Function, detail::RuntimeSubject>(layer("depends"));
        return *this;
    }

    /// Adds the subscribers of a router. Before start(), subscribers that are declared on the router until start() are
    /// added too. On a running broker, the subscribers that the router has now are added and started; the call then
    /// blocks for a round trip and throws Error for everything that start() would report. Throws Error(Errc::bad_setup)
    /// if the broker has included this router already.
    template <FixedString Prefix>
    Broker& include(const Router<Prefix>& router) {
        include_node(router.node());
        return *this;
    }

    /// Replaces, for tests, the function of `Depends<&f>` on this broker: handlers get what `stand_in` returns. The
    /// parameters of `stand_in` are filled like those of `f`. Throws Error(Errc::bad_setup) after start().
    template <auto Function, class StandIn>
    void override_dependency(StandIn&& stand_in) {
        if (auto made = detail::make_replacement<Function>(std::forward<StandIn>(stand_in)))
            override_erased(&detail::dependency_key<Function>, std::move(made));
    }

    /// Connects and starts every subscriber; when it returns, the server delivers to them. Blocks for a server, which
    /// it tries for BrokerOptions::start_timeout, then for what sources ask. Throws Error: Condition::bad_setup,
    /// with every mistake that was found or with the server's reason for a refusal, and inside a function given to
    /// async; Condition::disconnected when no server answered. After a throw the broker cannot be started again, and
    /// nothing runs, or, inside a handler, will run when that has returned.
    void start();

    /// Stops the broker: it takes nothing new, lets running and waiting handlers finish, sends what they published, and
    /// closes the connection. Blocks for `timeout`, and one more second for closing, at most. Returns true if
    /// everything was handled. When it returns false, waiting messages are dropped, and a handler that still runs goes
    /// on, but its publications are refused. Called inside a handler or any other function of yours that freshet calls,
    /// of any broker, it only begins the stop and returns true; called while start() waits for a server, it ends that
    /// wait. May be called from any thread and more than once: a later call waits for the first one's stop, for its own
    /// timeout and a second at most. Without `timeout`: BrokerOptions::stop_timeout.
    bool stop(std::chrono::milliseconds timeout);
    /// Stops the broker within BrokerOptions::stop_timeout; see stop(timeout).
    bool stop();

    /// Calls start(), blocks until SIGINT, SIGTERM or stop(), then stops the broker. Throws what start() throws, and
    /// when the broker has stopped, Error with the reason if it ended by itself: its connection was closed for good, or
    /// a subscriber was lost (OnLost::fail_fast). A second signal ends the process. Leaves a running broker alone.
    void run();

    /// Blocks for one round trip to the server on each connection and returns how long it took. Throws Error:
    /// Condition::timeout, Condition::disconnected.
    std::chrono::nanoseconds ping(std::chrono::milliseconds timeout = std::chrono::milliseconds{2'000});

    /// Returns true between a successful start() and the beginning of a stop.
    bool running() const noexcept;
    /// Returns whether the broker is connected and all its subscribers get messages, and if not, why. May be called
    /// from any thread; costs nothing while nobody asks.
    Health health() const;
    /// Returns what is known of the server; empty before start(). May be called from any thread.
    ServerInfo server() const;
    /// Returns the counters. May be called from any thread.
    BrokerStats stats() const;
    /// Returns the broker's logger; valid as long as the broker. Thread-safe.
    Logger& logger() noexcept;

    /// Declares a service: others find the endpoints, which you declare on the result, by its name and version. Needs
    /// <freshet/service.hpp>; see docs/services.md. On a running broker it blocks for a round trip. It, or else
    /// start(), throws Error(Errc::bad_setup) for names and versions that other clients refuse.
    Service service(ServiceOptions options);
    /// Declares a service whose name and version the compiler checks: `broker.service<"calc", "1.2.0">({...})`.
    template <FixedString Name, FixedString Version>
    Service service(ServiceOptions options);
    /// Returns what asks the services on the bus: `broker.services().ping("calc")`. Needs <freshet/services.hpp>.
    Services services();
    Services services(DiscoveryOptions options);

    /// Returns what the broker's declarations, also those of included routers, say of it (docs/describe.md). Needs
    /// <freshet/describe.hpp>. Asks no server; may be called before and after start(), from any thread. Throws
    /// Error(Errc::bad_setup) if two different types have one name.
    Description describe() const;

    /// Returns the compiled halves of the broker, for freshet itself.
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
