// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
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

/// Options of a TestBroker.
struct TestOptions {
    /// True: subscribers with `workers` or `dedicated` have their threads, to look for races. False: all handlers run
    /// on the thread that waits, one after the other, and each run of the test is like the last.
    bool threads = false;
    /// With a real server: the longest time that a call may wait for handlers.
    std::chrono::milliseconds patience{10'000};
    /// The least level of log lines that are written as they come; a test that fails writes the lines below it too, at
    /// the end of the TestBroker: see docs/testing.md#the-log. For a broker without BrokerOptions::logger. Default
    /// (empty): $FRESHET_TEST_LOG (`debug`, `info`...), else LogLevel::warn.
    std::optional<LogLevel> log_level = {};
};

/// How often faults happen at random, each from 0 to 1.
struct RandomFaults {
    std::uint64_t seed = 0;                    ///< seed of the random numbers; 0: $FRESHET_SEED, else a new one
    double duplicate = 0.1;                    ///< a message arrives twice
    double delay = 0.1;                        ///< a message arrives later; others overtake it
    double fail_publish = 0.02;                ///< a publication of the broker fails with Condition::disconnected
    double disconnect = 0.01;                  ///< the connection is lost, for up to `longest`
    std::chrono::milliseconds longest{1'000};  ///< the longest delay, and the longest loss of the connection
};

/// Runs a broker for a test, without network and with a virtual clock, or against a nats-server of its own. Give it a
/// broker with all its subscribers that was not started; it starts the broker, and stops it at the end. The test
/// publishes and asks through another broker, so that published() has only the messages that the service sent.
///
/// In memory every call returns when nothing is left to do at the present time: all messages are handled, also those
/// that handlers have published. Time passes in advance(), and while something waits for it: a request that gets no
/// answer returns at once, and the clock then shows its timeout later.
///
/// Functions throw Error. Not thread-safe. Handlers must not call it.
class TestBroker {
public:
    /// Starts the broker on a server in memory.
    explicit TestBroker(Broker& broker, TestOptions options = {});
    /// Starts the broker on a server in memory that several brokers share, each with its TestBroker. The server must
    /// outlive them.
    TestBroker(Broker& broker, MemoryServer& server, TestOptions options = {});
    /// Starts a nats-server for this test, and the broker on it. advance() takes real time then, and faults on the way
    /// of a message are refused.
    TestBroker(Broker& broker, WithServer, TestOptions options = {});
    /// Starts the broker on a nats-server that runs. The server must outlive this object.
    TestBroker(Broker& broker, Server& server, TestOptions options = {});
    TestBroker(const TestBroker&) = delete;
    TestBroker& operator=(const TestBroker&) = delete;
    ~TestBroker();

    /// Publishes a message from outside, waits until it is handled, and returns what became of it at each subscriber:
    /// `CHECK(test.publish("orders.eu", order) == Outcome::ack)`. `.rethrow()` throws the exception of the handler.
    template <class T>
    Deliveries publish(std::string_view subject, const T& value, const PublishOptions& options = {}) {
        const auto first = expect(subject);
        client().publish(subject, value, options);
        return settled_since(first, subject);
    }

    /// Sends a request from outside and returns the answer. Throws the errors of Broker::request.
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

    /// Runs what is due now.
    void run();
    /// Lets time pass, and runs what becomes due.
    void advance(std::chrono::nanoseconds by);
    /// Returns the time of the test's clock.
    TimePoint now() const noexcept;

    /// Returns the messages that the broker has published on the subjects of a pattern, in order. Contains subjects of
    /// the protocol (inboxes, `$...`) only if the pattern begins like them.
    Publications published(std::string_view pattern = ">") const;
    /// Returns the decoded bodies that the broker has published on the subjects of a pattern, in order.
    template <class T>
    Published<T> published(std::string_view pattern) const {
        return Published<T>{published(pattern)};
    }
    /// Returns what was delivered to the subscriber declared with this subject; empty: to all subscribers. Throws
    /// Errc::bad_setup, with a list of the subscribers, if there is none.
    Deliveries deliveries(std::string_view subscriber = {}) const;
    /// Returns the outcomes of all deliveries, in the order in which handling began.
    std::vector<Outcome> outcomes() const;
    /// Forgets what was captured so far.
    void clear();

    /// Gives handlers that take Inject<T> another object from now on. T must have been provided before the test began.
    template <class T>
    void replace(std::shared_ptr<T> object) {
        replace_erased(typeid(T), std::move(object));
    }

    /// Makes the next delivery to a subscriber whose handler takes Inject<T> throw `exception`, as if the object threw
    /// it. Throws Errc::bad_setup if no handler takes it.
    template <class T, class E = std::runtime_error>
    void fail_next(E exception = E{"made to fail by the test"}) {
        fail_next_erased(typeid(T), std::make_exception_ptr(std::move(exception)));
    }
    /// Makes the broker's next publication on the subjects of a pattern fail with `code`. Answers count as
    /// publications.
    void fail_next_publish(std::string_view pattern = ">", Errc code = Errc::disconnected);
    /// Makes the next message to a subscriber on the subjects of a pattern arrive twice.
    void duplicate_next(std::string_view pattern = ">");
    /// Makes the next message to a subscriber on the subjects of a pattern arrive later; others may overtake it.
    void delay_next(std::chrono::nanoseconds by, std::string_view pattern = ">");
    /// Loses the next message to a subscriber on the subjects of a pattern.
    void lose_next(std::string_view pattern = ">");
    /// Cuts all connections, also those of the test, until restore_connection().
    void lose_connection();
    /// Lets the connections come back.
    void restore_connection();
    /// Makes a subscriber, by its subject as declared, believe that the server refuses its subscription from now on, as
    /// when a right is taken away: see OnLost. Throws Errc::bad_setup if there is none.
    void lose_subscriber(std::string_view subscriber);
    /// Makes faults happen at random from now on, and returns the seed. Failed comparisons print the seed, and so does
    /// an exception that ends the test. A seed makes the same faults each time the test runs.
    std::uint64_t random_faults(const RandomFaults& faults = {});
    /// Ends the random faults.
    void stop_random_faults();

    /// Returns the broker that publish and request use. It is not the broker under test.
    Broker& client() const noexcept;
    /// Returns the broker under test.
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
