// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// Sends the messages of a push consumer to its subject, as long as somebody listens there. With flow control it waits
/// for confirmations. The owner guards it.
class PushLine {
public:
    /// Receivers answer flow control on subjects that begin with `confirm_prefix`.
    PushLine(JetStreamContext& context, std::string confirm_prefix)
        : context_{context}, confirm_prefix_{std::move(confirm_prefix)} {}

    void configure(const nlohmann::json& config);
    bool bound() const;
    bool ready() const { return !stalled() && bound(); }
    void send(Parcel& parcel);
    /// Called when the receiver has handled everything sent before this question.
    void confirmed(std::string_view subject);

    TimePoint next_due() const noexcept { return beat_; }
    /// Sends a heartbeat.
    void run_due(std::uint64_t last_consumer, std::uint64_t last_stream);

private:
    bool stalled() const noexcept;
    void ask();

    JetStreamContext& context_;
    std::string confirm_prefix_;
    std::string subject_ = {};
    std::string group_ = {};
    std::chrono::nanoseconds heartbeat_ = {};
    bool flow_control_ = false;
    TimePoint beat_ = TimePoint::max();
    std::size_t unconfirmed_ = 0;  // bytes
    std::size_t asked_about_ = 0;  // bytes sent before the question
    std::string question_ = {};    // the subject on which an answer is awaited; empty: none
    std::uint64_t questions_ = 0;
};

}  // namespace freshet::detail
