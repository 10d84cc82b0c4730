// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <freshet/detail/source.hpp>
#include <freshet/source_description.hpp>
#include <freshet/subscriber.hpp>
#include <freshet/transport.hpp>

#include "delivery/start_guard.hpp"

namespace freshet::detail {

/// A core NATS subscription as a source. Settles nothing, since core NATS has no acknowledgements.
class CoreSource final : public Source {
public:
    explicit CoreSource(const SubscriberOptions& options);

    void describe(SourceDescription& description) const override { description.kind = SourceKind::core; }
    void bind(const Subject& subject, Binder& binder) override;
    Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) override;
    std::optional<Error> refusal() const override;
    void stop(std::chrono::milliseconds timeout) noexcept override;
    void settle(Message message, const Handled& handled) noexcept override;
    std::size_t pending() const noexcept override;
    std::uint64_t dropped() const noexcept override;
    std::string_view group() const noexcept override { return spec_.queue; }

private:
    SubscriptionSpec spec_;
    std::uint64_t max_messages_;
    std::unique_ptr<TransportSubscription> subscription_ = {};  // lives as long as this object once guard_ is running
    StartGuard guard_ = {};
};

}  // namespace freshet::detail
