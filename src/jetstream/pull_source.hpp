// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <freshet/detail/source.hpp>
#include <freshet/js/pull.hpp>

namespace freshet::detail {

/// js::Pull as a source.
class PullSource final : public Source {
public:
    explicit PullSource(js::Pull options);
    ~PullSource() override;

    void bind(const Subject& subject, Binder& binder) override;
    Expected<void> start(BrokerCore& core, const Subject& subject, std::shared_ptr<MessageSink> sink) override;
    void quiesce() noexcept override;
    void stop(std::chrono::milliseconds timeout) noexcept override;
    bool wants_back() const noexcept override;
    void settle(Message message, const Handled& handled) noexcept override;
    void in_progress(const Message& message) noexcept override;
    Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout) override;
    bool answerable() const noexcept override { return false; }
    std::size_t pending() const noexcept override;
    std::uint64_t dropped() const noexcept override { return 0; }

private:
    class Puller;

    std::shared_ptr<Puller> puller() const;

    const js::Pull options_;
    mutable std::mutex mutex_ = {};
    std::shared_ptr<Puller> puller_ = {};
    bool stopped_ = false;
};

}  // namespace freshet::detail
