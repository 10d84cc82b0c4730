// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <freshet/transport.hpp>

#include "service/service_node.hpp"

namespace freshet::detail {

/// Takes the questions on one subject, and has the service answer them. Thread-safe.
class DiscoverySink final : public MessageSink {
public:
    DiscoverySink(std::shared_ptr<ServiceNode> service, Question question, std::string subject)
        : service_{std::move(service)}, question_{question}, subject_{std::move(subject)} {}

    const std::string& subject() const noexcept { return subject_; }
    /// Returns why no questions come; nothing while they may.
    std::optional<Error> lost() const {
        const std::lock_guard lock{mutex_};
        return lost_;
    }

    void on_message(Message message) noexcept override { service_->answer(question_, message); }
    void on_end() noexcept override {}
    void on_lost(const Error& why) noexcept override {
        const std::lock_guard lock{mutex_};
        lost_ = why;
    }
    void on_back() noexcept override {
        const std::lock_guard lock{mutex_};
        lost_.reset();
    }

private:
    std::shared_ptr<ServiceNode> service_;
    Question question_;
    std::string subject_;
    mutable std::mutex mutex_ = {};
    std::optional<Error> lost_ = {};
};

}  // namespace freshet::detail
