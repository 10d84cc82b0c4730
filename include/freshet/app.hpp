// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/hook.hpp>

namespace freshet {

/// Ends the program in an orderly way from inside a handler or a hook: `throw ExitApp{3, "the licence has expired"}`. The
/// message that was being handled has failed. Without an App the broker stops.
class ExitApp : public Error {
public:
    explicit ExitApp(int code, std::string why = "the program was asked to exit")
        : Error{Errc::closed, std::move(why)}, code_{code} {}
    int code() const noexcept { return code_; }

private:
    int code_;
};

/// A program that is a service: reads the command line, runs brokers and hooks until a signal, and gives main() its exit code.
///
/// Order: lifespans, on_startup, start of the brokers in their order, after_startup; then, after a signal, exit() or the end of a
/// broker: on_shutdown, stop of all brokers at the same time, after_shutdown, the objects of the lifespans in reverse. When
/// something of the startup fails, the rest of it is left out, and what follows it runs all the same: brokers that ran are
/// stopped, after_shutdown and the ends of lifespans take place; on_shutdown only if all brokers had started.
///
/// Hooks are functions whose parameters are filled like a handler's, as far as that makes sense without a message: Inject,
/// Depends, Broker& (the first one), Logger&, std::stop_token. They run one after the other in the thread of run().
class App {
public:
    explicit App(Broker& broker) : App{std::vector<Broker*>{&broker}} {}
    /// Several brokers; hooks are filled from the first.
    template <std::same_as<Broker>... More>
        requires(sizeof...(More) > 0)
    explicit App(Broker& first, More&... more) : App{std::vector<Broker*>{&first, &more...}} {}
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    /// Before the brokers connect: may provide objects. What it throws ends the startup.
    template <class F>
    App& on_startup(F&& hook) {
        return add<void>(When::on_startup, std::forward<F>(hook));
    }
    /// When all brokers run.
    template <class F>
    App& after_startup(F&& hook) {
        return add<void>(When::after_startup, std::forward<F>(hook));
    }
    /// While the brokers still run. What it throws is logged, and the stop goes on; so for the next one.
    template <class F>
    App& on_shutdown(F&& hook) {
        return add<void>(When::on_shutdown, std::forward<F>(hook));
    }
    /// When all brokers have stopped.
    template <class F>
    App& after_shutdown(F&& hook) {
        return add<void>(When::after_shutdown, std::forward<F>(hook));
    }
    /// A function whose result lives as long as the program serves: made before everything, destroyed after everything. While a handler
    /// runs that outlived the stop, the result lives on, up to the end of that handler's broker.
    template <class F>
    App& lifespan(F&& hook) {
        return add<int>(When::lifespan, std::forward<F>(hook));
    }

    /// Runs until SIGINT, SIGTERM, exit() or the end of a broker. Options: `--log-level LEVEL`, `--help`.
    /// Returns main()'s exit code: that of exit() or ExitApp, else 0 after a clean stop, 1 when the startup failed or something did
    /// not finish in time (logged), 2 for a command line it does not understand. Does not throw. A second signal ends the
    /// process at once. Once.
    int run(int argc, char** argv) noexcept;
    /// The same without a command line, for programs that read their own.
    int run() noexcept;

    /// Ends run() with this code; the first call counts. From any thread, also in handlers and hooks. Does not wait.
    void exit(int code = 0) noexcept;

    /// For freshet itself.
    detail::AppCore& core() noexcept { return *core_; }

private:
    using When = detail::HookTime;

    explicit App(std::vector<Broker*> brokers);

    /// Wanted: void for a hook without a result.
    template <class Wanted, class F>
    App& add(When when, F&& hook) {
        if (auto made = detail::make_hook<Wanted>(std::forward<F>(hook))) add(when, std::move(made));
        return *this;
    }
    void add(When when, std::unique_ptr<detail::Hook> hook);

    std::unique_ptr<detail::AppCore> core_;
};

}  // namespace freshet
