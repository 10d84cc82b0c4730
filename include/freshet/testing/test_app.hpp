// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include <freshet/app.hpp>
#include <freshet/testing/test_broker.hpp>

namespace freshet::testing {

class Server;

/// Runs an App for a test, with each of its brokers in a TestBroker. The constructor does the first half of App::run,
/// until everything runs; stop() does the rest. The brokers share one server, in memory or a real one. No signals are
/// caught.
///
///     TestApp test{app};
///     CHECK(test->request<int>("count", "") == 1);
///     CHECK(test.stop() == 0);
///
/// Not thread-safe; handlers and hooks must not call it.
class TestApp {
public:
    /// Starts the app on a server in memory. If a hook or a broker throws, undoes what was done and throws the
    /// exception on.
    explicit TestApp(App& app, TestOptions options = {});
    /// Starts a nats-server for this test, and the app on it.
    TestApp(App& app, WithServer, TestOptions options = {});
    /// Starts the app on a nats-server that runs. The server must outlive this object.
    TestApp(App& app, Server& server, TestOptions options = {});
    TestApp(const TestApp&) = delete;
    TestApp& operator=(const TestApp&) = delete;
    /// Calls stop() if you have not.
    ~TestApp();

    /// Returns the TestBroker of the app's first broker.
    TestBroker* operator->() const;
    /// Returns the TestBroker of a broker of the app. Throws Errc::bad_setup for a broker that is not the app's.
    TestBroker& operator[](const Broker& broker) const;

    /// Returns the exit code that App::exit or ExitApp has asked for; nothing if none has. App::run would return it
    /// now.
    std::optional<int> exit_code() const;
    /// Stops the app: calls on_shutdown, stops the brokers, calls after_shutdown and ends the lifespans. Returns the
    /// exit code that App::run would return. You can still ask for captured messages afterwards.
    int stop();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::testing
