// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <freshet/broker.hpp>
#include <freshet/testing/capture.hpp>
#include <freshet/testing/memory_server.hpp>

namespace freshet::testing {

class Server;

/// Says that a test runs against a real nats-server, started for it: `TestBroker test{broker, testing::with_server}`.
struct WithServer {};
inline constexpr WithServer with_server{};

/// How a TestBroker runs the broker.
struct TestOptions {
    /// Subscribers with `workers` and `dedicated` ones have their threads, to look for races. False: all run on the thread
    /// that waits, one after the other, and each run of the test is like the last.
    bool threads = false;
    /// With a real server: how long one wait for handlers may take in all.
    std::chrono::milliseconds patience{10'000};
};

/// How often things go wrong at random, each from 0 to 1.
struct RandomFaults {
    std::uint64_t seed = 0;                    ///< 0: $FRESHET_SEED, else a new one
    double duplicate = 0.1;                    ///< a message arrives twice
    double delay = 0.1;                        ///< it arrives later, others before it
    double fail_publish = 0.02;                ///< a publication of the broker's fails with Condition::disconnected
    double disconnect = 0.01;                  ///< the connection is lost, for up to `longest`
    std::chrono::milliseconds longest{1'000};  ///< the longest delay and loss
};

/// Runs a broker for a test: without network and with a virtual clock, or against a nats-server of its own. It takes a broker
/// that was not started, with all its subscribers, starts it, and stops it at the end. What the test publishes and asks
/// comes from a broker of its own, so that published() has only what the service sent.
///
/// In memory every call returns when nothing is left to do at the present time: all messages are handled, what handlers
/// published too. Time passes in advance(), and where something waits for it: a request that gets no answer ends at once,
/// its timeout later.
///
/// Functions throw Error. Not thread-safe; handlers must not call it.
class TestBroker {
public:
    explicit TestBroker(Broker& broker, TestOptions options = {});
    /// Several brokers may share one server, each with its TestBroker. The server must outlive them.
    TestBroker(Broker& broker, MemoryServer& server, TestOptions options = {});
    /// On a nats-server that is started for this test. Advancing takes as long as it says; faults on the way of
    /// a message are refused.
    TestBroker(Broker& broker, WithServer, TestOptions options = {});
    TestBroker(Broker& broker, Server& server, TestOptions options = {});
    TestBroker(const TestBroker&) = delete;
    TestBroker& operator=(const TestBroker&) = delete;
    ~TestBroker();

    /// Publishes from outside, lets it be handled, and tells what became of it at each subscriber:
    /// `CHECK(test.publish("orders.eu", order) == Outcome::ack)`; `.rethrow()` throws what the handler threw.
    template <class T>
    Deliveries publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        const auto first = expect(subject);
        client().publish(subject, value, options);
        return settled_since(first, subject);
    }

    /// Asks from outside and waits for the answer. Throws as Broker::request does.
    template <class R, class T>
    R request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        return value_or_raise(try_request<R>(subject, value, options));
    }
    template <class R, class T>
    Expected<R> try_request(std::string_view subject, const T& value, const RequestOptions& options = {}) {
        expect(subject);
        auto answer = client().template try_request<R>(subject, value, options);
        run();
        return answer;
    }

    /// Does what is to be done now.
    void run();
    /// Lets time pass, and does what falls due.
    void advance(std::chrono::nanoseconds by);
    TimePoint now() const noexcept;

    /// What the broker published on the subjects of a pattern, in order. Those of the protocol (inboxes, `$...`) are told
    /// only to a pattern that begins like them.
    Publications published(std::string_view pattern = ">") const;
    template <class T>
    Published<T> published(std::string_view pattern) const {
        return Published<T>{published(pattern)};
    }
    /// What was delivered to the subscriber declared with this subject; empty: to all. Throws Error(Errc::bad_setup) if there is none,
    /// which lists those there are.
    Deliveries deliveries(std::string_view subscriber = {}) const;
    /// The outcomes of all deliveries, in the order they began.
    std::vector<Outcome> outcomes() const;
    /// Forgets what was captured so far.
    void clear();

    /// Gives handlers that take Inject<T> another object, from now on. T must have been provided before the test began.
    template <class T>
    void replace(std::shared_ptr<T> object) {
        replace_erased(typeid(T), std::move(object));
    }

    /// The next delivery to a subscriber whose handler takes Inject<T> throws, as if the object did. Throws Error(Errc::bad_setup) if no
    /// handler takes it.
    template <class T, class E = std::runtime_error>
    void fail_next(E exception = E{"made to fail by the test"}) {
        fail_next_erased(typeid(T), std::make_exception_ptr(std::move(exception)));
    }
    /// The broker's next publication on the subjects of a pattern fails. Answers count.
    void fail_next_publish(std::string_view pattern = ">", Errc code = Errc::disconnected);
    /// The next message on its way to a subscriber, on the subjects of a pattern, arrives twice.
    void duplicate_next(std::string_view pattern = ">");
    /// It arrives later, and others before it.
    void delay_next(std::chrono::nanoseconds by, std::string_view pattern = ">");
    /// It does not arrive.
    void lose_next(std::string_view pattern = ">");
    /// All connections are lost, those of the test too, until restore_connection().
    void lose_connection();
    void restore_connection();
    /// From now on things go wrong at random; the seed is returned, is part of what failed comparisons print, and is printed
    /// when an exception ends the test. The same seed does the same in the same test.
    std::uint64_t random_faults(const RandomFaults& faults = {});
    void stop_random_faults();

    /// The broker that publish and request use: somebody else than the one under test.
    Broker& client() const noexcept;
    Broker& broker() const noexcept;

private:
    class Impl;

    std::size_t expect(std::string_view subject);
    Deliveries settled_since(std::size_t first, std::string_view subject);
    void replace_erased(const std::type_info& type, std::shared_ptr<void> object);
    void fail_next_erased(const std::type_info& type, std::exception_ptr exception);

    std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::testing
