// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/js/priority.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/delivery_policy.hpp"
#include "jetstream/consume/pull_pipeline.hpp"

namespace freshet::detail {

struct PullSettings {
    PullLimits limits = {};
    js::Priority priority = {};
};

/// Asks a pull consumer for messages as a PullPipeline decides. Writes its requests, reads the statuses that end them,
/// and keeps the pin.
class PullPolicy final : public DeliveryPolicy {
public:
    /// `next_subject`, `inboxes`: the beginnings of the subjects of requests and of inboxes, with a dot at the end.
    PullPolicy(PullSettings settings, std::string next_subject, std::string inboxes, TimePoint now);
    static std::unique_ptr<PullPolicy> make(const JsApi& api, PullSettings settings);

    DeliveryInbox open_inbox(const DeliveryTarget& target) override;
    void begin(const DeliveryTarget& target, TimePoint now) override;
    std::optional<DeliverySignal> next(TimePoint now) override;
    bool received(const Message& message, const Metadata& metadata, TimePoint now) override;
    std::function<void()> take_call() override;
    void handled(const Settled& settled, TimePoint now) override { pipeline_.handled(settled, now); }
    DeliveryVerdict status(const Message& message, TimePoint now) override;
    void disconnected() noexcept override { pipeline_.disconnected(); }
    void stop() noexcept override { pipeline_.stop(); }
    bool overdue(TimePoint now) const noexcept override { return pipeline_.overdue(now); }
    std::optional<TimePoint> deadline() const noexcept override { return pipeline_.deadline(); }

private:
    std::string body_of(const PullRequest& request) const;

    const PullSettings settings_;
    const std::string next_subject_;
    const std::string inboxes_;
    std::string inbox_ = {};  // the beginning of the subjects of statuses, with a dot at the end
    PullPipeline pipeline_;
    std::string consumer_ = {};  // STREAM.NAME
    void set_pin(std::string_view pin);

    std::string pin_ = {};
    std::optional<js::PinEvent> pin_event_ = {};  // not told yet
};

}  // namespace freshet::detail
