// SPDX-License-Identifier: Apache-2.0
#include "broker/app_core.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <freshet/app.hpp>

#include "base/exception_text.hpp"
#include "base/signals.hpp"
#include "broker/broker_core.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet::detail {
namespace {

constexpr std::array names{"lifespan", "on_startup", "after_startup", "on_shutdown", "after_shutdown"};

const char* name_of(HookTime when) { return names[static_cast<std::size_t>(when)]; }

/// Takes a hook's parameters from the objects provided so far.
class HookBinder final : public Binder {
public:
    explicit HookBinder(const BrokerCore& core) noexcept : core_{core} {}
    std::optional<std::size_t> token_of(std::string_view) const override { return std::nullopt; }
    void* provided(const std::type_info& type) const override { return core_.provided(type); }
    std::shared_ptr<Clock> clock() const override { return core_.link().shared_clock(); }
    const void* replacement(const void* key) const noexcept override { return core_.replacement(key); }
    void problem(std::string text) override { problems_ += "\n  - " + std::move(text); }
    const std::string& problems() const noexcept { return problems_; }

private:
    const BrokerCore& core_;
    std::string problems_ = {};
};

}  // namespace

AppCore::AppCore(std::vector<Broker*> brokers) : brokers_{std::move(brokers)} {
    for (auto* const broker : brokers_) broker->core().on_exit([this](int code) { exit(code); });
}

AppCore::~AppCore() {
    for (auto* const broker : brokers_) broker->core().on_exit({});
}

void AppCore::add(HookTime when, std::unique_ptr<Hook> hook) {
    hooks_[static_cast<std::size_t>(when)].push_back(std::move(hook));
}

int AppCore::run() {
    SignalWatch signals;
    std::jthread watcher{[&] {
        if (const int signal = signals.wait(); signal != 0) {
            logger().info("stopping on signal {}", signal);
            request_stop();
        }
    }};
    struct Wake {
        SignalWatch& signals;
        ~Wake() { signals.wake(); }
    } const wake{signals};  // wakes the watcher before it is joined
    try {
        const auto ends = watch_ends();
        start([](Broker& broker) { broker.start(); });
        wait();
    } catch (const ExitApp& asked) {
        logger().info("{}", asked.what());
        exit(asked.code());
    } catch (const Error& error) {
        // A start that ends because of a stop is no failure.
        const bool asked = stop_wanted() ||
                           std::ranges::any_of(brokers_, [](Broker* broker) { return broker->core().was_cut_short(); });
        clean_ = asked && error.code() == Errc::closed;
        logger().log(clean_ ? LogLevel::info : LogLevel::critical, "{}", error.what());
    } catch (...) {
        clean_ = false;
        logger().critical("the startup failed: {}", exception_text());
    }
    shut_down();
    return exit_code();
}

std::optional<int> AppCore::asked_code() const {
    const std::lock_guard lock{mutex_};
    return code_;
}

int AppCore::exit_code() const {
    const int code = asked_code().value_or(0);
    return code == 0 && !clean_ ? 1 : code;
}

void AppCore::start(const std::function<void(Broker&)>& start_broker) {
    run_hooks(HookTime::lifespan);
    run_hooks(HookTime::on_startup);
    for (auto* const broker : brokers_) {
        Start* start = nullptr;
        {
            const std::lock_guard lock{mutex_};
            if (stop_wanted_) raise({Errc::closed, "start: the program was stopped before it ran"});
            start =
                &starts_.emplace_back(broker);  // under the same lock as the check: a stop that comes later finds it
        }
        if (broker->core().link().options().critical) start_one(*start, start_broker);
        else start_beside(*start, start_broker);
    }
    started_ = true;
    run_hooks(HookTime::after_startup);
}

void AppCore::start_one(Start& start, const std::function<void(Broker&)>& start_broker) {
    start_broker(*start.broker);
    const std::lock_guard lock{mutex_};
    start.done = start.running = true;
}

void AppCore::start_beside(Start& start, const std::function<void(Broker&)>& start_broker) {
    start.thread = std::jthread{[this, &start, start_broker] {
        std::exception_ptr failed;
        try {
            start_broker(*start.broker);
        } catch (...) { failed = std::current_exception(); }
        bool late = false;
        {
            const std::lock_guard lock{mutex_};
            start.done = true;
            start.running = failed == nullptr;
            start.failed = failed;
            late = start.left && !stop_wanted_;
            changed_.notify_all();
        }
        if (late && failed) report_late_failure(*start.broker, failed);
    }};
    const auto timeout = start.broker->core().link().options().start_timeout;
    std::exception_ptr failed;
    {
        std::unique_lock lock{mutex_};
        start.left = !changed_.wait_for(lock, timeout, [&] { return start.done || stop_wanted_; });
        failed = start.failed;
    }
    if (start.left)
        logger().warn("going on without a broker that is not critical: no server has answered it for {} ms",
                      timeout.count());
    if (failed) std::rethrow_exception(failed);
}

void AppCore::report_late_failure(Broker& broker, const std::exception_ptr& failed) noexcept {
    try {
        std::rethrow_exception(failed);
    } catch (...) {
        broker.logger().critical("the program goes on without a broker that is not critical and could not start: {}",
                                 exception_text());
    }
}

/// Ends the starts that go on, and waits for their threads.
void AppCore::finish_starts() noexcept {
    request_stop();
    for (auto& start : starts_)
        if (start.thread.joinable()) start.thread.join();
}

AppCore::Ends AppCore::watch_ends() {
    Ends ends;
    for (auto* const broker : brokers_)
        ends.push_back(std::make_unique<Ends::value_type::element_type>(broker->link().stop_token(),
                                                                        [this] { request_stop(); }));
    return ends;
}

bool AppCore::stop_wanted() const {
    const std::lock_guard lock{mutex_};
    return stop_wanted_;
}

void AppCore::wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return stop_wanted_; });
}

void AppCore::shut_down() noexcept {
    if (started_) run_hooks_noexcept(HookTime::on_shutdown);
    finish_starts();
    stop_brokers();
    run_hooks_noexcept(HookTime::after_shutdown);
    end_lifespans();
}

/// Destroys the objects of lifespans, or hands them to the brokers whose handlers outlived the stop and may use them:
/// they go when these handlers have returned.
void AppCore::end_lifespans() noexcept {
    const auto lifespans = std::make_shared<Lifespans>(std::move(lifespans_));
    for (auto* const broker : brokers_)
        if (!broker->core().handlers_done()) broker->core().keep(lifespans);
}

/// Stops all brokers at the same time, each with its own stop_timeout.
void AppCore::stop_brokers() noexcept {
    {
        std::vector<std::jthread> stoppers;
        for (const auto& start : starts_) {
            if (!start.running) continue;
            try {
                stoppers.emplace_back([&start] { start.broker->stop(); });
            } catch (...) { start.broker->stop(); }  // there is no thread or no memory: one after the other
        }
    }
    for (const auto& start : starts_)
        if (start.running) clean_ = start.broker->core().ended_clean() && clean_;
}

void AppCore::run_hooks(HookTime when) {
    for (const auto& hook : hooks_[static_cast<std::size_t>(when)]) run_hook(*hook, when);
}

void AppCore::run_hooks_noexcept(HookTime when) noexcept {
    for (const auto& hook : hooks_[static_cast<std::size_t>(when)]) {
        try {
            run_hook(*hook, when);
        } catch (const ExitApp& asked) { exit(asked.code()); } catch (...) {
            clean_ = false;
            logger().error("the {} hook threw: {}", name_of(when), exception_text());
        }
    }
}

void AppCore::run_hook(Hook& hook, HookTime when) {
    auto& core = brokers_.front()->core();
    HookBinder binder{core};
    hook.bind(binder);
    if (!binder.problems().empty())
        raise({Errc::bad_setup, "the " + std::string{name_of(when)} + " hook cannot run:" + binder.problems()});
    // The parameters of a hook come from the delivery of an empty message.
    SubscriberCore nobody{core.link(), core, SubscriberSpec{.subject = name_of(when)}};
    Message nothing;
    Context context{nobody, nothing};
    if (auto kept = hook.run(context)) lifespans_.add(std::move(kept));
}

void AppCore::request_stop() noexcept {
    std::vector<Broker*> starting;
    {
        const std::lock_guard lock{mutex_};
        stop_wanted_ = true;
        for (const auto& start : starts_)
            if (!start.done) starting.push_back(start.broker);
        changed_.notify_all();
    }
    for (auto* const broker : starting) broker->core().forbid_start();
}

void AppCore::exit(int code) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!code_) code_ = code;
    }
    request_stop();
}

}  // namespace freshet::detail
