// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/timeout_warning.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include <freshet/broker.hpp>
#include <freshet/clock.hpp>

#include "delivery/subscriber_core.hpp"
#include "middleware/running_slots.hpp"

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
        struct Running {
            Watch& watch;
            detail::RunningSlot& slot;
            ~Running() { slot.leave(watch.reading_); }
        } const running{*this, slots_.enter(context)};
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
        look();
        if (!slots_.none()) return schedule(std::move(tick));
        { const Tick ended{std::move(tick)}; }
        if (!slots_.none()) begin();  // a delivery entered between the two checks
    }

    void look() {
        const auto now = clock_.now();
        const std::lock_guard lock{reading_};
        slots_.for_each([&](detail::RunningSlot& slot) {
            slot.look(now, after_, [&](Context& context) {
                const auto subject = context.subject();  // a batch has none
                context.broker()
                    .logger()
                    .with({.subject =
                               subject.empty() ? detail::ContextAccess::subscriber(context).spec().subject : subject})
                    .warn("the handler still runs after {} ms", duration_cast<milliseconds>(after_).count());
            });
        });
    }

    const std::shared_ptr<Watch> next_;
    Clock& clock_;
    const nanoseconds after_;
    detail::RunningSlots slots_ = {};
    std::mutex reading_ = {};
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
