// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/detail/hook.hpp>
#include <freshet/exit_app.hpp>

namespace freshet {

/// A program that is a service: it reads the command line, runs brokers and hooks until a signal comes, and gives
/// main() its exit code.
///
/// The startup runs, in this order: lifespans, on_startup, the start of the brokers in the order given, after_startup.
/// A signal, exit() or the end of a broker begins the shutdown, which runs: on_shutdown, the stop of all brokers at the
/// same time, after_shutdown, then the end of the lifespans' objects in reverse order. If a step of the startup fails,
/// freshet skips the rest of the startup and runs the shutdown: it stops the brokers that were started, and runs
/// after_shutdown and the ends of the lifespans; on_shutdown runs only if every broker had started.
///
/// Hooks are functions whose parameters are filled like a handler's, as far as that makes sense without a message:
/// Inject, Depends, Broker& (the first broker), Logger&, std::stop_token. Hooks run one after the other, on the thread
/// that called run().
class App {
public:
    /// Takes the broker that run() starts and stops. The broker must outlive the App.
    explicit App(Broker& broker) : App{std::vector<Broker*>{&broker}} {}
    /// Takes several brokers, which must outlive the App. Hooks are filled from the first one.
    template <std::same_as<Broker>... More>
        requires(sizeof...(More) > 0)
    explicit App(Broker& first, More&... more) : App{std::vector<Broker*>{&first, &more...}} {}
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    /// Adds a function that runs before the brokers connect; it may provide objects. An exception from it ends the
    /// startup.
    template <class F>
    App& on_startup(F&& hook) {
        return add<void>(When::on_startup, std::forward<F>(hook));
    }
    /// Adds a function that runs once all brokers run. An exception from it ends the startup.
    template <class F>
    App& after_startup(F&& hook) {
        return add<void>(When::after_startup, std::forward<F>(hook));
    }
    /// Adds a function that runs at the beginning of the shutdown, while the brokers still run. An exception from it is
    /// logged, the shutdown goes on, and run() returns 1 instead of 0.
    template <class F>
    App& on_shutdown(F&& hook) {
        return add<void>(When::on_shutdown, std::forward<F>(hook));
    }
    /// Adds a function that runs after all brokers have stopped. An exception from it is logged, the shutdown goes on,
    /// and run() returns 1 instead of 0.
    template <class F>
    App& after_shutdown(F&& hook) {
        return add<void>(When::after_shutdown, std::forward<F>(hook));
    }
    /// Adds a function whose result lives as long as the program serves: it is made before everything else and
    /// destroyed after everything else. While a handler runs that outlived the stop, the result lives on, up to the end
    /// of that handler's broker. An exception from the function ends the startup.
    template <class F>
    App& lifespan(F&& hook) {
        return add<int>(When::lifespan, std::forward<F>(hook));
    }

    /// Blocks until SIGINT, SIGTERM, exit() or the end of a broker, and until the shutdown is complete. Reads the
    /// options `--log-level LEVEL` and `--help`. Returns the exit code for main(): the code of exit() or ExitApp if
    /// there was one, else 0 after a clean stop, 1 when the startup failed, a hook of the shutdown threw or a broker
    /// did not stop in time (each is logged), 2 for a command line that it does not understand. Does not throw. A
    /// second signal ends the process at once. Call it once.
    int run(int argc, char** argv) noexcept;
    /// Blocks like run(argc, argv), but reads no command line: for programs that read their own. Returns the exit code
    /// for main(). Does not throw. Call it once.
    int run() noexcept;

    /// Makes run() end and return `code`; the first call counts. May be called from any thread, also in handlers and
    /// hooks. Returns at once.
    void exit(int code = 0) noexcept;

    /// Returns what the declarations of all brokers say of the program; see Broker::describe. Needs
    /// <freshet/describe.hpp>.
    Description describe() const;

    /// Returns the compiled half of the App, for freshet itself.
    detail::AppCore& core() noexcept { return *core_; }

private:
    using When = detail::HookTime;

    explicit App(std::vector<Broker*> brokers);

    /// `Wanted` is void for a hook without a result.
    template <class Wanted, class F>
    App& add(When when, F&& hook) {
        if (auto made = detail::make_hook<Wanted>(std::forward<F>(hook))) add(when, std::move(made));
        return *this;
    }
    void add(When when, std::unique_ptr<detail::Hook> hook);

    std::unique_ptr<detail::AppCore> core_;
};

}  // namespace freshet
