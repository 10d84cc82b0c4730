// SPDX-License-Identifier: Apache-2.0
// What freshet does per message, one case after the other, for valgrind's callgrind to count; scripts/check_budgets.py
// reads the counts. Prints a line `case allocations-per-message` for each. $FRESHET_BUDGET_PLANT=instructions or
// allocation adds 100 instructions or one allocation to each message, for the test that the gate sees it.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <new>
#include <string>
#include <string_view>

#include <spdlog/spdlog.h>
#include <valgrind/callgrind.h>

#include <freshet/freshet.hpp>
#include <freshet/middleware/circuit_breaker.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/middleware/timeout_warning.hpp>

#include "broker/broker_core.hpp"
#include "still_transport.hpp"

namespace {
std::uint64_t allocations = 0;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    ++allocations;
    const auto to = static_cast<std::size_t>(alignment);
    if (void* const memory = std::aligned_alloc(to, (size + to - 1) / to * to)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

/// In place of cnats's own, whose cost is not freshet's and varies with the thread that frees. The messages are not
/// freed.
extern "C" void natsMsg_Destroy(__natsMsg*) {}

using namespace freshet;
using namespace std::chrono_literals;

namespace {

constexpr int messages_per_case = 1'000;

struct Line {
    std::string sku = {};
    int quantity = 0;
    double price = 0;
};
struct Order {
    std::string id = {};
    std::string customer = {};
    std::string region = {};
    std::vector<Line> lines = {};
    double total = 0;
};
FRESHET_JSON(Line, sku, quantity, price);
FRESHET_JSON(Order, id, customer, region, lines, total);

#ifdef FRESHET_GLAZE
/// Line and Order without a macro: glaze reflects them.
struct PlainLine {
    std::string sku = {};
    int quantity = 0;
    double price = 0;
};
struct PlainOrder {
    std::string id = {};
    std::string customer = {};
    std::string region = {};
    std::vector<PlainLine> lines = {};
    double total = 0;
};
#endif

constexpr std::string_view order_text =
    R"({"id":"ord-000042","customer":"customer-4711","region":"eu","lines":[{"sku":"sku-1001","quantity":2,"price":19.99},)"
    R"({"sku":"sku-2002","quantity":1,"price":5.5}],"total":45.48,"x":"pad-pad"})";

const Order order{"ord-000042", "customer-4711", "eu", {{"sku-1001", 2, 19.99}, {"sku-2002", 1, 5.5}}, 45.48};

enum class Plant { nothing, instructions, allocation };

Plant plant_wanted() {
    const char* const text = std::getenv("FRESHET_BUDGET_PLANT");
    if (text == nullptr) return Plant::nothing;
    return std::string_view{text} == "allocation" ? Plant::allocation : Plant::instructions;
}

const Plant plant = plant_wanted();

void do_planted() {
    if (plant == Plant::allocation) {
        int* volatile value = new int{};
        delete value;
    } else if (plant == Plant::instructions) {
        __asm__ volatile(".rept 100\n\tnop\n\t.endr");
    }
}

/// A clock on which each look takes a microsecond, so that every run measures the same messages. Nothing is scheduled.
class SteppingClock final : public Clock {
public:
    TimePoint now() const noexcept override { return now_ += 1us; }
    TimerId schedule(TimePoint, Task) override { return {}; }
    bool cancel(TimerId) noexcept override { return false; }
    void cancel_and_wait(TimerId) noexcept override {}

private:
    mutable TimePoint now_ = TimePoint{} + 1h;
};

/// A broker above a transport that does nothing.
class Bench {
public:
    Bench() { core_.provide(typeid(int), std::make_shared<int>(1)); }

    /// Measures what Metrics measures.
    void measure() {
        core_.prepare({.clock = std::make_shared<SteppingClock>()});
        core_.measure({.duration_bounds = {0.0001, 0.001, 0.01, 0.1, 1, 10}, .size_bounds = {16, 256, 4096}});
    }

    template <FixedString Pattern>
    auto subscriber() {
        return SubscriberBuilder<StaticSubject<Pattern>>{core_,
                                                         {std::string{Pattern.view()}, {}, {}, nullptr, nullptr}};
    }
    void start() { core_.start(); }
    detail::BrokerCore& core() { return core_; }

    /// A case whose messages were made before.
    void deliver(const char* name, const std::string& wire, std::string_view subject, std::string_view body,
                 const Headers& headers = {}, std::string_view reply_to = {}) {
        std::deque<Message> messages;
        for (int i = 0; i < 2 * messages_per_case; ++i)
            messages.push_back(Message::make(subject, as_bytes(body), headers, reply_to));
        MessageSink& sink = transport_->sink(wire);
        run(name, [&] {
            sink.on_message(std::move(messages.front()));
            messages.pop_front();
        });
    }

    void run(const char* name, const std::function<void()>& one) {
        for (int i = 0; i < messages_per_case; ++i) one();  // what is kept is made now
        const auto before = allocations;
        CALLGRIND_ZERO_STATS;
        for (int i = 0; i < messages_per_case; ++i) {
            one();
            do_planted();
        }
        CALLGRIND_DUMP_STATS_AT(name);
        std::printf("%s %g\n", name, static_cast<double>(allocations - before) / messages_per_case);
    }

private:
    testing::StillTransport* transport_ = nullptr;
    Broker owner_{};
    detail::BrokerCore core_{owner_, BrokerOptions{}, [this](const BrokerOptions&) {
                                 auto transport = std::make_unique<testing::StillTransport>();
                                 transport_ = transport.get();
                                 return transport;
                             }};
};

volatile std::size_t sum = 0;
void use(std::size_t value) { sum = sum + value; }

int token(Path<"id", int> id) { return *id; }

template <int Count, class Builder, class F>
auto wrap(Builder&& builder, const F& middleware) {
    if constexpr (Count == 0) return std::forward<Builder>(builder);
    else return wrap<Count - 1>(std::forward<Builder>(builder).use(middleware), middleware);
}
template <int Count, class Builder, class F>
auto wrap_publishing(Builder&& builder, const F& middleware) {
    if constexpr (Count == 0) return std::forward<Builder>(builder);
    else return wrap_publishing<Count - 1>(std::forward<Builder>(builder).use_publish(middleware), middleware);
}

/// On a broker of their own: where there are none, none is to cost anything.
void run_middlewares() {
    Bench bench;
    const auto around = [](Context& context, Next next) { return next(context); };
    const auto around_sending = [](Outgoing& out, NextPublish next) { return next(out); };
    const auto handler = [](std::string_view body) { use(body.size()); };
    const auto echo = [](std::string_view body) { return body; };
    wrap<1>(bench.subscriber<"one">(), around).handle(handler);
    wrap<11>(bench.subscriber<"eleven">(), around).handle(handler);
    wrap_publishing<1>(bench.subscriber<"send.one">(), around_sending).handle(echo);
    wrap_publishing<11>(bench.subscriber<"send.eleven">(), around_sending).handle(echo);
    bench.subscriber<"timeout">().use(TimeoutWarning{1h}).handle(handler);
    bench.subscriber<"breaker">().use(CircuitBreaker{}).handle(handler);
    bench.subscriber<"rate">().use(RateLimit{{.messages = 1e9}}).handle(handler);
    bench.start();
    bench.deliver("middleware_1", "one", "one", "hello");
    bench.deliver("middleware_11", "eleven", "eleven", "hello");
    bench.deliver("timeout_warning", "timeout", "timeout", "hello");
    bench.deliver("circuit_breaker", "breaker", "breaker", "hello");
    bench.deliver("rate_limit", "rate", "rate", "hello");
    bench.deliver("publish_middleware_1", "send.one", "send.one", "hello", {}, "_INBOX.x.1");
    bench.deliver("publish_middleware_11", "send.eleven", "send.eleven", "hello", {}, "_INBOX.x.1");
    bench.core().stop(1s);
}

void run_metrics() {
    Bench bench;
    bench.measure();
    bench.subscriber<"bytes">().handle([](std::string_view body) { use(body.size()); });
    bench.subscriber<"reply">().handle([](std::string_view body) { return body; });
    bench.start();
    bench.deliver("metrics_deliver_bytes", "bytes", "bytes", "hello");
    bench.deliver("metrics_answer", "reply", "reply", "hello", {}, "_INBOX.x.1");
    auto& link = bench.core().link();
    bench.run("metrics_publish_bytes", [&] {
        std::ignore = detail::publish_value(link, detail::publish_counts(link), "a.b", std::string_view{"hello"}, {});
    });
    const Publisher<std::string, "orders.{region}.created"> publisher{
        link, SubjectTemplate{"orders.{region}.created"}, {}};
    const std::string body = "hello";
    bench.run("metrics_publisher", [&] { std::ignore = publisher.try_publish(body, "eu"); });
    bench.core().stop(1s);
}

}  // namespace

int main() {
    spdlog::set_level(spdlog::level::off);
    Bench bench;
    bench.subscriber<"bytes">().handle([](std::string_view body) { use(body.size()); });
    bench.subscriber<"path.{id}.x">().handle([](std::string_view, Path<"id", int> id) {
        use(static_cast<std::size_t>(*id));
    });
    bench.subscriber<"header">().handle([](std::string_view, Header<"user"> user) { use(user->size()); });
    bench.subscriber<"inject">().handle([](std::string_view, Inject<int> one) { use(static_cast<std::size_t>(*one)); });
    bench.subscriber<"context">().handle([](Context& context) { use(context.subject().size()); });
    bench.subscriber<"json">().handle([](const Order& body) { use(body.lines.size()); });
#ifdef FRESHET_GLAZE
    bench.subscriber<"glaze">().handle([](const PlainOrder& body) { use(body.lines.size()); });
#endif
    bench.subscriber<"reply">().handle([](std::string_view body) { return body; });
    bench.subscriber<"chain.{id}.in">().publish_to<"chain.{id}.out">().handle([](std::string_view body) {
        return body;
    });
    bench.subscriber<"depends.{id}">().handle([](std::string_view, Depends<&token>) {});
    bench.start();

    bench.deliver("deliver_bytes", "bytes", "bytes", "hello");
    bench.deliver("deliver_path", "path.*.x", "path.42.x", "hello");
    bench.deliver("deliver_header", "header", "header", "hello", {{"user", "somebody"}});
    bench.deliver("deliver_inject", "inject", "inject", "hello");
    bench.deliver("deliver_context", "context", "context", "hello");
    bench.deliver("deliver_depends", "depends.*", "depends.42", "hello");
    bench.deliver("deliver_json", "json", "json", order_text);
#ifdef FRESHET_GLAZE
    bench.deliver("deliver_glaze", "glaze", "glaze", order_text);
#endif
    bench.deliver("answer", "reply", "reply", "hello", {}, "_INBOX.x.1");
    bench.deliver("publish_to", "chain.*.in", "chain.42.in", "hello");

    auto& link = bench.core().link();
    bench.run("publish_bytes", [&] {
        std::ignore = detail::publish_value(link, detail::publish_counts(link), "a.b", std::string_view{"hello"}, {});
    });
    bench.run("publish_json",
              [&] { std::ignore = detail::publish_value(link, detail::publish_counts(link), "a.b", order, {}); });
    const Publisher<std::string, "orders.{region}.created"> publisher{
        link, SubjectTemplate{"orders.{region}.created"}, {}};
    const std::string body = "hello";
    bench.run("publisher", [&] { std::ignore = publisher.try_publish(body, "eu"); });
    bench.core().stop(1s);
    run_middlewares();
    run_metrics();
}
