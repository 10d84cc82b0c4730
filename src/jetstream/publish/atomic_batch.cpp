// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/atomic_batch.hpp>

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/publish/publish.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {

/// Sends a batch and holds each message back until the next one comes, because the last message must say that it is the
/// last.
class BatchSender {
public:
    BatchSender(std::shared_ptr<const JsApi> api, Link& link) : api_{std::move(api)}, link_{link}, id_{random_id()} {}

    Expected<void> add(std::string_view subject, const Encoded& encoded, const js::PublishOptions& options) {
        if (auto ready = check(subject, options); !ready) return ready;
        auto headers = publish_headers(subject, options);
        if (!headers) return std::unexpected{std::move(headers).error()};
        if (auto sent = send_held(); !sent) {
            lost_ = sent.error();
            return sent;
        }
        hold(subject, encoded, *std::move(headers), options.timeout);
        return {};
    }

    Expected<js::PublishAck> commit() {
        if (lost_) return std::unexpected{*lost_};
        if (size_ == 0)
            return failure(Errc::bad_setup, "commit of an atomic batch: nothing was added since the last one");
        held_.options.headers.set("Nats-Batch-Commit", "1");
        held_.plain = false;
        auto ack = publish_and_wait(link_, held_.subject, body(), options());
        size_ = 0;
        id_ = random_id();
        return ack;
    }

    std::size_t size() const noexcept { return size_; }

private:
    struct Held {
        std::string subject = {};
        std::string body = {};
        std::string_view content_type = {};
        PublishOptions options = {};
        std::chrono::milliseconds timeout{};
        bool plain = false;  // true: has only the headers of a batch
    };

    Expected<void> check(std::string_view subject, const js::PublishOptions& options) const {
        if (lost_) return std::unexpected{*lost_};
        if (!may_publish_on(subject)) return std::unexpected{subject_error(subject, SubjectUse::publish)};
        if (size_ == 0)
            if (auto able = api_->needs("2.12", "an atomic batch"); !able) return able;
        return check_publish_options(*api_, options);
    }

    /// Holds a message back, in the memory of the previous one.
    void hold(std::string_view subject, const Encoded& encoded, Headers headers, std::chrono::milliseconds timeout) {
        const bool plain = headers.empty();
        if (!plain || !held_.plain) held_.options.headers = std::move(headers.set("Nats-Batch-Id", id_));
        held_.options.headers.set("Nats-Batch-Sequence", std::to_string(++size_));
        held_.plain = plain;
        held_.subject = subject;
        held_.body = as_text(encoded.body);
        held_.content_type = encoded.content_type;
        held_.timeout = timeout;
    }

    Encoded body() const { return {as_bytes(held_.body), held_.content_type}; }
    RequestOptions options() const {
        return {.timeout = held_.timeout.count() > 0 ? held_.timeout : api_->options().timeout,
                .headers = held_.options.headers};
    }

    Expected<void> send_held() {
        if (size_ == 0) return {};
        if (size_ > 1) { return link_.publish(held_.subject, body(), held_.options); }
        // The first message asks whether the stream accepts batches; an empty answer means yes.
        const auto reply = link_.request(held_.subject, body(), options());
        if (reply && reply->payload().empty()) return {};
        auto ack = publish_result(held_.subject, reply);
        if (!ack) return std::unexpected{std::move(ack).error()};
        return failure(
            Errc::batch_refused,
            fmt::format("publish to {}: the stream {} stored the first message of a batch by itself: its server "
                        "does not know atomic batches",
                        detail::quoted(held_.subject), detail::quoted(ack->stream)));
    }

    std::shared_ptr<const JsApi> api_;
    Link& link_;
    std::string id_;
    std::size_t size_ = 0;
    Held held_ = {};
    std::optional<Error> lost_ = {};
};

}  // namespace freshet::detail

namespace freshet::js {

AtomicBatch::AtomicBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link)
    : link_{&link}, sender_{std::make_unique<detail::BatchSender>(std::move(api), link)} {}
AtomicBatch::AtomicBatch(AtomicBatch&&) noexcept = default;
AtomicBatch& AtomicBatch::operator=(AtomicBatch&&) noexcept = default;
AtomicBatch::~AtomicBatch() = default;

Expected<void> AtomicBatch::add_encoded(std::string_view subject, const detail::Encoded& encoded,
                                        const PublishOptions& options) {
    return sender_->add(subject, encoded, options);
}

Expected<PublishAck> AtomicBatch::try_commit() { return sender_->commit(); }

std::size_t AtomicBatch::size() const noexcept { return sender_->size(); }

}  // namespace freshet::js
