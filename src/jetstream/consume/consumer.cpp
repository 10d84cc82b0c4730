// SPDX-License-Identifier: Apache-2.0
#include <freshet/future.hpp>
#include <freshet/js/consumer.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/stream/first_stored.hpp"

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
    return api.call(detail::consumer_operation(op, consumer.stream(), consumer.name()),
                    fmt::format("{} {}", what, text_of(consumer)), request);
}

Expected<void> done(const Expected<Json>& answer) {
    if (!answer) return std::unexpected{answer.error()};
    return {};
}

Expected<std::uint64_t> reset_to(const detail::JsApi& api, const Consumer& consumer, const Json& request) {
    if (auto able = api.needs("2.14", "resetting a consumer"); !able) return std::unexpected{able.error()};
    const auto answer = call(api, "RESET", "reset", consumer, request);
    // Servers do not answer for a consumer that does not exist.
    if (!answer && answer.error().code() == Errc::timeout) {
        if (const auto found = call(api, "INFO", "reset", consumer); !found) return std::unexpected{found.error()};
    }
    if (!answer) return std::unexpected{answer.error()};
    return detail::field<std::uint64_t>(*answer, "reset_seq");
}

}  // namespace

Expected<ConsumerInfo> Consumer::try_declare(const ConsumerConfig& config, Declare declare) const {
    detail::ConsumerSpec spec{
        .stream = stream_, .name = name_, .declare = declare, .wanted = detail::consumer_to_create(config)};
    if ((config.acks == Acks::flow_control) != !config.deliver_subject.empty()) {
        return failure(Errc::bad_setup, "declare " + spec.text() +
                                            ": Acks::flow_control and deliver_subject go together: set both or none");
    }
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

Expected<std::uint64_t> Consumer::try_reset(std::uint64_t sequence) const {
    return reset_to(*api_, *this, {{"seq", std::max<std::uint64_t>(sequence, 1)}});
}

Expected<std::uint64_t> Consumer::try_reset() const { return reset_to(*api_, *this, {}); }

Expected<std::uint64_t> Consumer::try_reset(std::chrono::system_clock::time_point time) const {
    const auto sequence = detail::first_stored_since(*api_, stream_, time);
    if (!sequence) return std::unexpected{sequence.error()};
    return try_reset(*sequence);
}

void Delivery::send(std::string_view word) const {
    if (acknowledger_ != nullptr && api_->link().is_open())
        return acknowledger_->send(incarnation_, message_.reply_to(), word, Flush::batched);
    value_or_raise(api_->link().publish(message_.reply_to(), {.body = as_bytes(word)}, {}));
}

void Delivery::nack(std::chrono::nanoseconds delay) const { send(detail::nak_text(delay)); }

void Delivery::ack_sync() const {
    detail::require_may_wait("ack_sync of a message on " + detail::quoted(message_.subject()));
    if (acknowledger_ != nullptr) {
        const auto deadline = api_->link().clock().now() + api_->options().timeout;
        value_or_raise(acknowledger_->wait_until_certain(incarnation_, deadline));
    }
    value_or_raise(api_->link().request(message_.reply_to(), {.body = as_bytes(detail::ack_word)},
                                        {.timeout = api_->options().timeout}));
}

}  // namespace freshet::js
