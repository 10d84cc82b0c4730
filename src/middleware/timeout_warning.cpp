// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/timeout_warning.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/clock.hpp>

#include "delivery/subscriber_core.hpp"
#include "middleware/running_delivery.hpp"

namespace freshet {
namespace {

using namespace std::chrono;

/// The deliveries that are timed by one clock. The clock's tasks hold weak references, so they end with this object.
class Watch : public std::enable_shared_from_this<Watch> {
public:
    Watch(Clock& clock, nanoseconds after, std::shared_ptr<Watch> next) noexcept
        : next_{std::move(next)}, clock_{clock}, after_{after} {}

    bool is_of(const Clock& clock) const noexcept { return &clock == &clock_; }
    Watch* next() const noexcept { return next_.get(); }

    Outcome run(Context& context, Next next) {
        const detail::RunningDelivery running{context, this};
        if (!ticking_.load()) begin();
        return next(context);
    }

private:
    /// Owned by the clock's task. Its destruction, whether the task ran or not, means that the ticks have ended, unless
    /// it was moved on.
    class Tick {
    public:
        explicit Tick(std::weak_ptr<Watch> watch) noexcept : watch_{std::move(watch)} {}
        Tick(Tick&&) noexcept = default;
        Tick& operator=(Tick&&) = delete;
        ~Tick() {
            if (const auto watch = watch_.lock()) watch->ticking_ = false;
        }
        void operator()() {
            if (const auto watch = watch_.lock()) watch->tick(std::move(*this));
        }

    private:
        std::weak_ptr<Watch> watch_;
    };

    void begin() {
        if (!ticking_.exchange(true)) schedule(Tick{weak_from_this()});
    }
    void schedule(Tick tick) { clock_.schedule(clock_.now() + std::max(after_ / 10, nanoseconds{1}), std::move(tick)); }

    void tick(Tick tick) {
        if (look()) return schedule(std::move(tick));
        { const Tick ended{std::move(tick)}; }
        if (look()) begin();  // it came between the two
    }

    /// What is to be logged of a delivery, which may end before that is done.
    struct Overdue {
        Logger logger;
        std::string subject;
    };

    /// Warns of what runs too long. Returns whether anything may run.
    bool look() {
        const auto now = clock_.now();
        std::vector<Overdue> overdue;
        const bool any = detail::RunningDelivery::for_each(this, [&](detail::RunningDelivery& running) {
            if (!running.becomes_overdue(now, after_)) return;
            auto& context = running.context();
            const auto subject = context.subject();  // a batch has none
            overdue.push_back({context.broker().logger(),
                               subject.empty() ? detail::ContextAccess::subscriber(context).spec().subject
                                               : std::string{subject}});
        });
        for (auto& [logger, subject] : overdue)
            logger.with({.subject = subject})
                .warn("the handler still runs after {} ms", duration_cast<milliseconds>(after_).count());
        return any;
    }

    const std::shared_ptr<Watch> next_;
    Clock& clock_;
    const nanoseconds after_;
    std::atomic<bool> ticking_ = false;
};

}  // namespace

/// One Watch per clock: brokers have a clock each, and may share the middleware.
class TimeoutWarning::Watches {
public:
    explicit Watches(nanoseconds after) noexcept : after_{after} {}

    Watch& of(Clock& clock) {
        for (auto* watch = first_.load(std::memory_order_acquire); watch != nullptr; watch = watch->next())
            if (watch->is_of(clock)) return *watch;
        return added(clock);
    }

private:
    Watch& added(Clock& clock) {
        const std::lock_guard lock{mutex_};
        for (auto* watch = newest_.get(); watch != nullptr; watch = watch->next())
            if (watch->is_of(clock)) return *watch;
        newest_ = std::make_shared<Watch>(clock, after_, newest_);
        first_.store(newest_.get(), std::memory_order_release);
        return *newest_;
    }

    const nanoseconds after_;
    std::mutex mutex_ = {};
    std::shared_ptr<Watch> newest_ = {};
    std::atomic<Watch*> first_ = nullptr;
};

TimeoutWarning::TimeoutWarning(nanoseconds after) {
    if (after.count() <= 0) raise({Errc::bad_setup, "TimeoutWarning: the time must be above zero"});
    watches_ = std::make_shared<Watches>(after);
}

Outcome TimeoutWarning::operator()(Context& context, Next next) const {
    return watches_->of(context.clock()).run(context, std::move(next));
}

}  // namespace freshet
