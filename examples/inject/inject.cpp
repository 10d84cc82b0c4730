// SPDX-License-Identifier: Apache-2.0
// Uses member functions of a service class as handlers. The objects that they work with are provided once, and each
// handler gets those that it takes as Inject<T>.
//
//     NATS_URL=nats://localhost:4222 ./inject
//     nats request stock.apple.take '{"count": 2}'
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include <freshet/freshet.hpp>

using freshet::Inject, freshet::Logger, freshet::Path;
using namespace std::chrono_literals;

struct Take {
    int count{};
};
struct Taken {
    std::string item;
    int left{};
};
FRESHET_JSON(Take, count);
FRESHET_JSON(Taken, item, left);

/// Handlers run on several threads, so the objects that they share lock for themselves.
class Stock {
public:
    int take(const std::string& item, int count) {
        const std::lock_guard lock{mutex_};
        int& left = left_[item];
        if (left < count) throw freshet::RemoteError{409, "only " + std::to_string(left) + " left"};
        return left -= count;
    }

private:
    std::mutex mutex_;
    std::map<std::string, int> left_{{"apple", 5}, {"pear", 3}};
};

class Shop {
public:
    Taken take(const Take& wanted, Path<"item", std::string> item, Inject<Stock> stock, Logger& log) {
        const int left = stock->take(*item, wanted.count);
        log.info("sale {}: {} of {}", ++sales_, wanted.count, *item);
        return {.item = *item, .left = left};
    }

    /// Takes long. Ends early when the broker stops, so that nobody waits for it.
    void count(std::stop_token stop, Logger& log) {
        log.info("counting");
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any counted;
        counted.wait_for(lock, stop, 1h, [] { return false; });
        log.info("{}", stop.stop_requested() ? "stopped counting" : "counted");
    }

private:
    std::atomic<int> sales_ = 0;
};

void wire(freshet::Broker& broker, Shop& shop) {
    broker.subscriber<"stock.{item}.take">({.queue = "shop", .workers = 4}).handle(&Shop::take, shop);
    broker.subscriber<"stock.count">({.dedicated = true}).handle(&Shop::count, shop);
}

int main(int argc, char** argv) {
    Shop shop;
    freshet::Broker broker;
    broker.provide(std::make_shared<Stock>());
    wire(broker, shop);
    return freshet::App{broker}.run(argc, argv);
}
