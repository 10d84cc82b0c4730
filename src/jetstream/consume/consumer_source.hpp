// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/detail/source.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/stream_ref.hpp>

#include "delivery/start_guard.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/promises.hpp"
#include "jetstream/consume/settlement.hpp"
#include "jetstream/consume/source_checks.hpp"
#include "jetstream/consume/stream_confirmer.hpp"

namespace freshet::detail {

/// The settings of a ConsumerSource, made from js::Pull or js::Push.
struct ConsumerSourceSettings {
    js::StreamRef stream = {};
    std::string group = {};  ///< the durable consumer; empty: none
    std::function<void(const Subject& subject, Binder& binder)> check = {};
    std::function<ConsumerSpec(const Subject& subject, const std::string& inbox_prefix)> spec = {};
    std::function<std::unique_ptr<DeliveryPolicy>(const JsApi& api)> policy = {};
    bool push = false;  ///< which kind of consumer it must be
    js::ConsumerConfig consumer = {};
    js::Declare declare = js::Declare::create_if_missing;
    std::size_t workers = 1;
    Settlement settlement;
    js::ContextOptions context = {};
    std::chrono::milliseconds max_extension{0};  ///< js::Pull::max_extension
    bool quiet = false;                          ///< the program has said what becomes of messages that fail
    std::string durable = {};                    ///< name of the consumer; empty: an ephemeral one
    std::string queue = {};                      ///< js::Push::queue
};

/// Feeds a subscriber with the messages of a JetStream consumer.
class ConsumerSource final : public Source {
public:
    explicit ConsumerSource(ConsumerSourceSettings settings);
    ~ConsumerSource() override;

    void expect_bodies(Binder&) override { promises_.bodies = true; }
    void describe(SourceDescription& description) const override;
    void bind(const Subject& subject, Binder& binder) override;
    bool keeps() const noexcept override { return true; }
    Expected<void> declare(Link& link) override;
    Confirmer* confirmer(Link& link) override;
    std::string_view dead_letter() const noexcept override;
    Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) override;
    void quiesce() noexcept override;
    void stop(std::chrono::milliseconds timeout) noexcept override;
    bool wants_back() const noexcept override;
    Plan plan(const Message& message, const Handled& handled) noexcept override;
    void settle(Message message, const Handled& handled) noexcept override;
    void in_progress(const Message& message) noexcept override;
    Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout) override;
    bool answerable() const noexcept override { return false; }
    std::size_t pending() const noexcept override;
    std::uint64_t dropped() const noexcept override { return 0; }
    std::string_view group() const noexcept override { return settings_.group; }
    std::optional<ConsumerStats> consumer_stats() const override;
    void ask_lag() noexcept override;

private:
    class Running;

    std::shared_ptr<Running> running() const;

    const ConsumerSourceSettings settings_;
    Promises promises_;
    mutable std::mutex mutex_ = {};
    std::shared_ptr<Running> running_ = {};
    std::unique_ptr<StreamConfirmer> confirmer_ = {};
    StartGuard guard_ = {};
};

/// Returns the limits that a consumer with this configuration sets to a pull request.
RequestLimits request_limits_of(const Json& config);

/// Returns the configuration of a subscriber's consumer. Its filter is the subscriber's subject unless `config` has
/// filters.
Json consumer_for(const js::ConsumerConfig& config, const Subject& subject, Lifetime lifetime);

}  // namespace freshet::detail
