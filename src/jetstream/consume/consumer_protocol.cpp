// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_protocol.hpp"

#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include <freshet/transport.hpp>

#include "jetstream/api/api.hpp"
#include "link/link.hpp"

namespace freshet::detail {

std::string nak_text(std::chrono::nanoseconds delay) {
    if (delay.count() <= 0) return std::string{nak_word};
    return fmt::format(R"({} {{"delay":{}}})", nak_word, delay.count());
}

std::string consumer_operation(std::string_view verb, std::string_view stream, std::string_view name) {
    return fmt::format("CONSUMER.{}.{}.{}", verb, stream, name);
}

NextRequest& NextRequest::as(const js::Priority& member) {
    group = member.group;
    min_pending = member.min_pending;
    min_ack_pending = member.min_ack_pending;
    priority = member.level;
    return *this;
}

std::string NextRequest::body() const {
    auto text = fmt::format(R"({{"batch":{})", batch);
    const auto add = [&](std::string_view key, auto value) {
        if (value > 0) fmt::format_to(std::back_inserter(text), R"(,"{}":{})", key, value);
    };
    const auto add_text = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) fmt::format_to(std::back_inserter(text), R"(,"{}":"{}")", key, value);
    };
    add("expires", expires.count());
    if (expires.count() == 0) text += R"(,"no_wait":true)";
    add("idle_heartbeat", heartbeat.count());
    add("max_bytes", max_bytes);
    add_text("group", group);
    add_text("id", pin);
    add("min_pending", min_pending);
    add("min_ack_pending", min_ack_pending);
    add("priority", priority);
    return text + '}';
}

void forget_consumer(const JsApi& api, std::string_view stream, std::string_view name) {
    const auto subject = api.subject(consumer_operation("DELETE", stream, name));
    std::ignore = api.link().transport().publish({.subject = subject, .flush = Flush::now});
}

}  // namespace freshet::detail
