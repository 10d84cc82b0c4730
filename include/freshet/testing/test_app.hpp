// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include <freshet/app.hpp>
#include <freshet/testing/test_broker.hpp>

namespace freshet::testing {

class Server;

/// Runs an App for a test, with each of its brokers in a TestBroker: the constructor does what App::run does until everything
/// runs, stop() what it does afterwards. The brokers share one server, in memory or a real one. No signals are caught.
///
///     TestApp test{app};
///     CHECK(test->request<int>("count", "") == 1);
///     CHECK(test.stop() == 0);
///
/// Not thread-safe; handlers and hooks must not call it.
class TestApp {
public:
    /// Throws what a hook or a broker throws, when what was done before has been undone.
    explicit TestApp(App& app, TestOptions options = {});
    /// On a nats-server that is started for this test.
    TestApp(App& app, WithServer, TestOptions options = {});
    TestApp(App& app, Server& server, TestOptions options = {});
    TestApp(const TestApp&) = delete;
    TestApp& operator=(const TestApp&) = delete;
    /// stop(), if that was not called.
    ~TestApp();

    /// The TestBroker of the app's first broker, and that of any: throws Error(Errc::bad_setup) for one that is not the app's.
    TestBroker* operator->() const;
    TestBroker& operator[](const Broker& broker) const;

    /// The code that something asked the app to end with: App::exit, ExitApp. App::run would return with it now.
    std::optional<int> exit_code() const;
    /// on_shutdown, the stop of the brokers, after_shutdown and the ends of the lifespans. Returns what App::run would have. What
    /// was captured can still be asked for.
    int stop();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::testing
