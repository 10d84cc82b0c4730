// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include <freshet/clock.hpp>
#include <freshet/js/async_publisher.hpp>
#include <freshet/js/context_options.hpp>

#include "delivery/confirmations.hpp"
#include "delivery/confirmer.hpp"
#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Publishes into streams what handlers of a consumer's messages publish. Thread-safe.
class StreamConfirmer final : public Confirmer {
public:
    /// `returned` is told which messages' handlers have returned.
    StreamConfirmer(Link& link, const js::ContextOptions& context, Confirmations::Returned returned);

    Expected<std::vector<std::string>> stored_of(std::string_view pattern) override;
    Expected<void> publish(std::string_view subject, const Encoded& encoded, Headers headers, std::string id,
                           std::shared_ptr<Confirmations> confirmations) override;
    Expected<void> publish_together(std::span<const Letter> letters) override;

private:
    bool may_be_atomic(std::size_t letters) const noexcept;
    Expected<void> publish_atomically(std::span<const Letter> letters);
    Expected<void> publish_each(std::span<const Letter> letters);

    std::shared_ptr<const JsApi> api_;
    js::AsyncPublisher publisher_;
    const Confirmations::Returned returned_;
    std::atomic<TimePoint> not_atomic_until_ = TimePoint{};
};

}  // namespace freshet::detail
