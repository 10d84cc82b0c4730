// SPDX-License-Identifier: Apache-2.0
// The service of freshet.cpp with the client library and nlohmann's JSON alone. It has no error answers to speak of, no
// options from the environment, no health, and no tests: it only does the work.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nats/nats.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

struct Order {
    std::string id;
    double amount = 0;
    int count = 0;
    std::optional<std::string> note;
};
struct Invoice {
    std::string order_id;
    double total = 0;
};
struct Question {
    std::string article;
    int quantity = 1;
};
struct Price {
    std::string article;
    double total = 0;
};
struct Delivery {
    std::string article;
    int quantity = 0;
};

void from_json(const nlohmann::json& json, Order& order) {
    json.at("id").get_to(order.id);
    json.at("amount").get_to(order.amount);
    json.at("count").get_to(order.count);
    if (const auto note = json.find("note"); note != json.end() && !note->is_null())
        order.note = note->get<std::string>();
}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Invoice, order_id, total)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Question, article, quantity)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Price, article, total)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Delivery, article, quantity)

namespace {

void check(natsStatus status, const char* what) {
    if (status == NATS_OK) return;
    std::fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
    std::exit(1);
}

std::string_view body_of(natsMsg* message) {
    return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

std::string token_of(std::string_view subject, std::size_t index) {
    while (index-- > 0) subject.remove_prefix(subject.find('.') + 1);
    return std::string{subject.substr(0, subject.find('.'))};
}

template <class Handle>
void guarded(natsMsg* message, Handle handle) noexcept {
    try {
        handle();
    } catch (const std::exception& error) { spdlog::error("{}: {}", natsMsg_GetSubject(message), error.what()); }
    natsMsg_Destroy(message);
}

void send(natsConnection* connection, const std::string& subject, const nlohmann::json& body) {
    const auto text = body.dump();
    const auto status = natsConnection_Publish(connection, subject.c_str(), text.data(), static_cast<int>(text.size()));
    if (status != NATS_OK) spdlog::error("publish on {}: {}", subject, natsStatus_GetText(status));
}

void on_order(natsConnection* connection, natsSubscription*, natsMsg* message, void*) {
    guarded(message, [&] {
        const auto order = nlohmann::json::parse(body_of(message)).get<Order>();
        const Invoice invoice{.order_id = order.id, .total = order.amount * 1.2};
        send(connection, "invoices." + token_of(natsMsg_GetSubject(message), 1), invoice);
        if (const char* const reply = natsMsg_GetReply(message)) send(connection, reply, invoice);
    });
}

void on_question(natsConnection* connection, natsSubscription*, natsMsg* message, void*) {
    guarded(message, [&] {
        const auto question = nlohmann::json::parse(body_of(message)).get<Question>();
        const Price price{.article = question.article, .total = question.quantity * 1.5};
        if (const char* const reply = natsMsg_GetReply(message)) send(connection, reply, price);
    });
}

void on_delivery(natsConnection*, natsSubscription*, natsMsg* message, void*) {
    guarded(message, [&] {
        const auto delivery = nlohmann::json::parse(body_of(message)).get<Delivery>();
        spdlog::info("{} of {} arrived in {}", delivery.quantity, delivery.article,
                     token_of(natsMsg_GetSubject(message), 1));
    });
}

}  // namespace

int main() {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, nullptr);

    const char* const url = std::getenv("NATS_URL");
    natsConnection* connection = nullptr;
    check(natsConnection_ConnectTo(&connection, url != nullptr ? url : "nats://localhost:4222"), "connect");
    std::vector<natsSubscription*> subscriptions(3);
    check(natsConnection_QueueSubscribe(&subscriptions[0], connection, "orders.*.created", "billing", on_order,
                                        nullptr),
          "subscribe");
    check(natsConnection_QueueSubscribe(&subscriptions[1], connection, "prices.ask", "billing", on_question, nullptr),
          "subscribe");
    check(natsConnection_Subscribe(&subscriptions[2], connection, "stock.*.arrived", on_delivery, nullptr),
          "subscribe");

    int signal = 0;
    sigwait(&stop, &signal);
    for (auto* const subscription : subscriptions) {
        natsSubscription_Drain(subscription);
        natsSubscription_WaitForDrainCompletion(subscription, 30'000);
        natsSubscription_Destroy(subscription);
    }
    natsConnection_Destroy(connection);
    nats_Close();
}
