// SPDX-License-Identifier: Apache-2.0
// Answers requests with their own body until it is killed. $FRESHET_BENCH_ANSWERS says on which connection: `asked`,
// the one that the request came on, or `other`, both through a transport that only chooses.
#include <cstdlib>
#include <string_view>
#include <utility>

#include "broker.hpp"

namespace {

/// Sends answers on the connection of `lane`.
class Choosing final : public freshet::Transport {
public:
    Choosing(std::unique_ptr<freshet::Transport> to, freshet::Lane lane) : to_{std::move(to)}, lane_{lane} {}

    freshet::Expected<void> publish(const freshet::Publication& publication) override {
        auto chosen = publication;
        if (chosen.lane == freshet::Lane::deliveries) chosen.lane = lane_;
        return to_->publish(chosen);
    }
    freshet::Expected<void> open(std::chrono::milliseconds wait, freshet::EventSink events) override {
        return to_->open(wait, std::move(events));
    }
    freshet::Expected<std::unique_ptr<freshet::TransportSubscription>>
    subscribe(const freshet::SubscriptionSpec& spec, std::shared_ptr<freshet::MessageSink> sink) override {
        return to_->subscribe(spec, std::move(sink));
    }
    freshet::Expected<void> flush(std::chrono::milliseconds timeout) override { return to_->flush(timeout); }
    bool drain_deliveries(std::chrono::milliseconds timeout) override { return to_->drain_deliveries(timeout); }
    void close(std::chrono::milliseconds timeout) override { to_->close(timeout); }
    freshet::ServerInfo server() const override { return to_->server(); }
    freshet::TransportStats stats() const override { return to_->stats(); }

private:
    std::unique_ptr<freshet::Transport> to_;
    freshet::Lane lane_;
};

freshet::TransportFactory transport() {
    const auto* const where = std::getenv("FRESHET_BENCH_ANSWERS");
    if (where == nullptr) return freshet::nats_transport;
    const auto lane = std::string_view{where} == "other" ? freshet::Lane::replies : freshet::Lane::deliveries;
    return [lane](const freshet::BrokerOptions& options) {
        return std::make_unique<Choosing>(freshet::nats_transport(options), lane);
    };
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    freshet::Broker broker{bench::options(arguments), transport()};
    broker.subscriber<"bench.rpc">().handle([](std::string_view body) { return body; });
    bench::measure(broker, arguments);
    broker.start();
    bench::say_ready();
    broker.subscriber<"bench.quit">().messages().next();
}
