// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/push_line.hpp"

#include <utility>

namespace freshet::detail {
namespace {

// nats-server begins with this size, and doubles it as long as answers come fast.
constexpr std::size_t window = std::size_t{2} << 20U;

}  // namespace

void PushLine::configure(const nlohmann::json& config) {
    subject_ = config.value("deliver_subject", "");
    group_ = config.value("deliver_group", "");
    heartbeat_ = time_in(config, "idle_heartbeat");
    flow_control_ = config.value("flow_control", false);
    beat_ = heartbeat_.count() > 0 ? context_.now() + heartbeat_ : TimePoint::max();
}

bool PushLine::bound() const { return context_.hub.has_interest(subject_, group_); }

bool PushLine::stalled() const noexcept { return flow_control_ && unconfirmed_ >= window; }

void PushLine::send(Parcel& parcel) {
    unconfirmed_ += flow_control_ ? parcel.size() : 0;
    context_.send(subject_, std::move(parcel));
    if (heartbeat_.count() > 0) beat_ = context_.now() + heartbeat_;
    if (flow_control_ && unconfirmed_ >= window / 2 && question_.empty()) ask();
}

void PushLine::ask() {
    question_ = confirm_prefix_ + std::to_string(++questions_);
    asked_about_ = unconfirmed_;
    Parcel question;
    question.subject = subject_;
    question.reply_to = question_;
    question.headers = {{"Status", "100"}, {"Description", "FlowControl Request"}};
    context_.send(subject_, std::move(question));
}

void PushLine::confirmed(std::string_view subject) {
    if (subject != question_) return;
    question_.clear();
    unconfirmed_ -= std::exchange(asked_about_, 0);
}

void PushLine::run_due(std::uint64_t last_consumer, std::uint64_t last_stream) {
    if (beat_ > context_.now()) return;
    beat_ = context_.now() + heartbeat_;
    Headers headers{{"Nats-Last-Consumer", std::to_string(last_consumer)},
                    {"Nats-Last-Stream", std::to_string(last_stream)}};
    if (stalled()) headers.set("Nats-Consumer-Stalled", question_);
    context_.send_status(subject_, 100, "Idle Heartbeat", std::move(headers));
}

}  // namespace freshet::detail
