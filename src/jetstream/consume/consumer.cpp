// SPDX-License-Identifier: Apache-2.0
#include <freshet/future.hpp>
#include <freshet/js/consumer.hpp>

#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumers.hpp"

namespace freshet::js {
namespace {

using detail::Json;

std::string text_of(const Consumer& consumer) {
    return detail::ConsumerSpec{.stream = consumer.stream(), .name = consumer.name()}.text();
}

Expected<Json> call(const detail::JsApi& api, const char* op, std::string_view what, const Consumer& consumer,
                    const Json& request = {}) {
    if (auto valid = detail::check_js_name("stream", consumer.stream()); !valid) return std::unexpected{valid.error()};
    if (auto valid = detail::check_js_name("consumer", consumer.name()); !valid) return std::unexpected{valid.error()};
    return api.call(fmt::format("CONSUMER.{}.{}.{}", op, consumer.stream(), consumer.name()),
                    fmt::format("{} {}", what, text_of(consumer)), request);
}

Expected<void> done(const Expected<Json>& answer) {
    if (!answer) return std::unexpected{answer.error()};
    return {};
}

}  // namespace

Expected<ConsumerInfo> Consumer::try_declare(const ConsumerConfig& config, Declare declare) const {
    detail::ConsumerSpec spec{
        .stream = stream_, .name = name_, .declare = declare, .wanted = detail::complete_consumer(config)};
    spec.wanted["durable_name"] = name_;
    const auto answer = detail::declare_consumer(*api_, spec);
    if (!answer) return std::unexpected{answer.error()};
    return detail::to_consumer_info("declare " + spec.text(), *answer);
}

Expected<ConsumerInfo> Consumer::try_info() const {
    const auto answer = call(*api_, "INFO", "look up", *this);
    if (!answer) return std::unexpected{answer.error()};
    return detail::to_consumer_info("look up " + text_of(*this), *answer);
}

Expected<void> Consumer::try_remove() const { return done(call(*api_, "DELETE", "delete", *this)); }

Expected<void> Consumer::try_pause(std::chrono::system_clock::time_point until) const {
    if (auto able = api_->needs("2.11", "pausing a consumer"); !able) return able;
    return done(call(*api_, "PAUSE", "pause", *this, {{"pause_until", detail::format_rfc3339(until)}}));
}

Expected<void> Consumer::try_resume() const {
    if (auto able = api_->needs("2.11", "resuming a consumer"); !able) return able;
    return done(call(*api_, "PAUSE", "resume", *this, Json::object()));
}

Expected<void> Consumer::try_unpin(const std::string& group) const {
    if (auto able = api_->needs("2.11", "unpinning a client"); !able) return able;
    return done(call(*api_, "UNPIN", "unpin the client of", *this, {{"group", group}}));
}

void Delivery::send(std::string_view word) const {
    if (acknowledger_ != nullptr && api_->link().is_open())
        return acknowledger_->send(incarnation_, message_.reply_to(), word, Flush::batched);
    value_or_raise(api_->link().publish(message_.reply_to(), {.body = as_bytes(word)}, {}));
}

void Delivery::nack(std::chrono::nanoseconds delay) const {
    send(delay.count() > 0 ? fmt::format(R"(-NAK {{"delay":{}}})", delay.count()) : std::string{"-NAK"});
}

void Delivery::ack_sync() const {
    detail::require_may_wait("ack_sync of a message on " + detail::quoted(message_.subject()));
    if (acknowledger_ != nullptr) {
        const auto deadline = api_->link().clock().now() + api_->options().timeout;
        value_or_raise(acknowledger_->wait_until_certain(incarnation_, deadline));
    }
    value_or_raise(api_->link().request(message_.reply_to(), {.body = as_bytes(std::string_view{"+ACK"})},
                                        {.timeout = api_->options().timeout}));
}

}  // namespace freshet::js
