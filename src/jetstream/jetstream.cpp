// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/jetstream.hpp>

#include <fmt/format.h>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/ordered_messages.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/stream/account_info.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet {
namespace js {

JetStream::JetStream(detail::Link& link, const ContextOptions& options)
    : link_{&link}, api_{std::make_shared<const detail::JsApi>(link, options)} {}

const ContextOptions& JetStream::options() const noexcept { return api_->options(); }

Expected<StreamInfo> JetStream::try_declare(const Stream& stream) const {
    return detail::declare_stream(*api_, stream);
}
Expected<std::vector<Difference>> JetStream::try_differences(const Stream& stream) const {
    return detail::stream_differences(*api_, stream);
}
Expected<std::string> JetStream::try_stream_of(std::string_view subject) const {
    return detail::stream_of(*api_, subject);
}
Expected<std::vector<StreamInfo>> JetStream::try_streams(std::string_view subject) const {
    return detail::list_streams(*api_, subject);
}
Expected<std::vector<std::string>> JetStream::try_stream_names(std::string_view subject) const {
    return detail::stream_names(*api_, subject);
}
Expected<std::vector<ConsumerInfo>> JetStream::try_consumers(const std::string& stream) const {
    return detail::list_consumers(*api_, stream);
}

Expected<OrderedMessages> JetStream::try_ordered(const Ordered& options) const {
    return detail::read_in_order(*api_, options);
}

Expected<AccountInfo> JetStream::try_account() const { return detail::account_info(*api_); }

Expected<PublishAck> JetStream::publish_encoded(std::string_view subject, const detail::Encoded& encoded,
                                                const PublishOptions& options) const {
    return detail::publish_stored(*api_, subject, encoded, options);
}

Expected<CounterValue> JetStream::try_increment(std::string_view subject, std::int64_t by,
                                                const PublishOptions& options) const {
    if (auto able = api_->needs("2.12", "a counter"); !able) return std::unexpected{std::move(able).error()};
    auto counted = options;
    counted.headers.set("Nats-Incr", fmt::format("{:+}", by));
    const auto ack = publish_encoded(subject, {}, counted);
    if (!ack) return std::unexpected{ack.error()};
    return CounterValue{ack->value};
}

}  // namespace js

void link_the_target_freshet_jetstream() noexcept {}

}  // namespace freshet
