// SPDX-License-Identifier: Apache-2.0
// A worker that kills itself where it is about to send its N-th acknowledgement, when the results of that message are
// confirmed: crash_worker URL each|batch N (0: never)
#include <atomic>
#include <csignal>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <unistd.h>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/transport.hpp>

using namespace freshet;

namespace {

class CrashingTransport final : public Transport {
public:
    CrashingTransport(std::unique_ptr<Transport> to, int crash_at) : to_{std::move(to)}, crash_at_{crash_at} {}

    Expected<void> publish(const Publication& publication) override {
        const bool acknowledges = publication.subject.starts_with("$JS.ACK.") && as_text(publication.payload) == "+ACK";
        if (acknowledges && ++acknowledgements_ == crash_at_) ::kill(::getpid(), SIGKILL);
        return to_->publish(publication);
    }
    Expected<void> open(std::chrono::milliseconds wait, EventSink events) override {
        return to_->open(wait, std::move(events));
    }
    Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink) override {
        return to_->subscribe(spec, std::move(sink));
    }
    Expected<void> flush(std::chrono::milliseconds timeout) override { return to_->flush(timeout); }
    bool drain_deliveries(std::chrono::milliseconds timeout) override { return to_->drain_deliveries(timeout); }
    void close(std::chrono::milliseconds timeout) override { to_->close(timeout); }
    ServerInfo server() const override { return to_->server(); }
    TransportStats stats() const override { return to_->stats(); }

private:
    const std::unique_ptr<Transport> to_;
    const int crash_at_;
    std::atomic<int> acknowledgements_ = 0;
};

}  // namespace

int main(int, char** argv) {
    const int crash_at = std::stoi(argv[3]);
    Broker broker{{.servers = {argv[1]}}, [=](const BrokerOptions& options) {
                      return std::make_unique<CrashingTransport>(nats_transport(options), crash_at);
                  }};
    js::Pull pull{.stream = "ORDERS", .durable = "worker"};
    if (argv[2] == std::string{"batch"}) {
        pull.batch = {.size = 10, .within = std::chrono::milliseconds{20}};
        broker.subscriber<"orders.{id}">(pull).handle([](std::span<const std::string> bodies, Context& context) {
            for (std::size_t i = 0; i < bodies.size(); ++i)
                context.publish(context.items()[i], "valid." + bodies[i], bodies[i]);
        });
    } else {
        broker.subscriber<"orders.{id}">(pull)
            .publish_to<"valid.{id}">({.confirm = true})
            .handle([](const std::string& body) { return body; });
    }
    broker.run();
}
