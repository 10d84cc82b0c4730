// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/atomic_batch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/api/election.hpp"
#include "jetstream/publish/message_batch.hpp"
#include "jetstream/publish/publish.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

// The server dropped the batch, and what is left of it was not stored: it was restarted, or too much time passed.
constexpr int err_incomplete = 10'176;
// After so much time without a message servers drop a batch: its program is too slow for it.
constexpr std::chrono::seconds server_patience{10};

/// Returns whether a stream, or nothing, has answered the first message of a batch. A service may answer it too, and
/// first.
bool is_consent(const Message& message) noexcept { return message.payload().empty() || is_stream_answer(message); }

}  // namespace

/// Sends a batch and holds each message back until the next one comes, because the last message must say that it is the
/// last. Keeps the whole batch, to send it again when a cluster that elects a leader has lost it.
class BatchSender {
public:
    BatchSender(std::shared_ptr<const JsApi> api, Link& link) : api_{std::move(api)}, link_{link}, id_{random_id()} {}

    Expected<void> add(std::string_view subject, const Encoded& encoded, const js::PublishOptions& options) {
        if (auto ready = check(subject, options); !ready) return ready;
        auto headers = publish_headers(subject, options);
        if (!headers) return std::unexpected{std::move(headers).error()};
        if (auto sent = send_last(); !sent) {
            lost_ = sent.error();
            return sent;
        }
        keep(subject, encoded, *std::move(headers), options.timeout);
        return {};
    }

    Expected<js::PublishAck> commit() {
        if (lost_) return std::unexpected{*lost_};
        if (size_ == 0)
            return failure(Errc::bad_setup, "commit of an atomic batch: nothing was added since the last one");
        const bool late = link_.clock().now() - kept_at_ >= server_patience;
        auto ack = try_commit();
        int incomplete = late ? 1 : 0;
        for (Election election{link_}; !ack; ack = send_all()) {
            // Sent anew as a whole and refused like that once more, it is refused for another reason.
            if (ack.error().remote_code() == err_incomplete ? ++incomplete > 1 : !passes(ack.error())) break;
            if (!election.wait()) break;
        }
        size_ = 0;
        id_ = random_id();
        return ack;
    }

    std::size_t size() const noexcept { return size_; }

private:
    struct Kept {
        std::string subject = {};
        std::string body = {};
        std::string_view content_type = {};
        PublishOptions options = {};
        std::chrono::milliseconds timeout{};
        bool plain = false;  // true: has only the headers of a batch

        Encoded encoded() const { return {as_bytes(body), content_type}; }
    };

    Expected<void> check(std::string_view subject, const js::PublishOptions& options) const {
        if (lost_) return std::unexpected{*lost_};
        if (!may_publish_on(subject)) return std::unexpected{subject_error(subject, SubjectUse::publish)};
        if (size_ == 0)
            if (auto able = api_->needs("2.12", "an atomic batch"); !able) return able;
        return check_publish_options(*api_, options);
    }

    /// Keeps a message, in the memory of the previous batch.
    void keep(std::string_view subject, const Encoded& encoded, Headers headers, std::chrono::milliseconds timeout) {
        if (kept_.size() == size_) kept_.emplace_back();
        Kept& kept = kept_[size_];
        const bool plain = headers.empty();
        if (!plain || !kept.plain) kept.options.headers = std::move(headers);
        kept.plain = plain;
        kept.subject = subject;
        kept.body = as_text(encoded.body);
        kept.content_type = encoded.content_type;
        kept.timeout = timeout;
        number(kept, ++size_);
        kept_at_ = link_.clock().now();
    }
    void number(Kept& kept, std::size_t sequence) const {
        kept.options.headers.set("Nats-Batch-Id", id_).set("Nats-Batch-Sequence", std::to_string(sequence));
    }

    RequestOptions request_options(const Kept& kept) const {
        return {.timeout = kept.timeout.count() > 0 ? kept.timeout : api_->options().timeout,
                .headers = kept.options.headers};
    }

    /// Of those that are kept the last; the first of all until the server has consented, or for as long as an
    /// election takes.
    Expected<void> send_last() {
        if (size_ == 0) return {};
        Kept& last = kept_[size_ - 1];
        if (size_ > 1) return link_.publish(last.subject, last.encoded(), last.options);
        auto sent = send_first(last);
        for (Election election{link_}; !sent && passes(sent.error()) && election.wait();) sent = send_first(last);
        return sent;
    }

    /// Asks whether the stream accepts batches; an empty answer means yes. Leaves out the answer of a service; if that
    /// is empty, the commit tells what the stream made of the batch.
    Expected<void> send_first(const Kept& first) {
        const auto reply = ask(first, is_consent);
        if (reply && reply->payload().empty() && reply->status() == 0) return {};
        auto ack = publish_result(first.subject, reply);
        if (!ack) return std::unexpected{std::move(ack).error()};
        return failure(
            Errc::batch_refused,
            fmt::format("publish to {}: the stream {} stored the first message of a batch by itself: its server "
                        "does not know atomic batches",
                        detail::quoted(first.subject), detail::quoted(ack->stream)));
    }

    Expected<Message> ask(const Kept& kept, BlockingReply::Wanted wanted) {
        if (!may_wait()) return std::unexpected{wait_refused("publish to " + detail::quoted(kept.subject))};
        BlockingReply reply{kept.subject, wanted};
        const auto clock = link_.shared_clock();  // the broker may go when the answer has come
        if (auto asked = link_.request_into(reply, kept.subject, kept.encoded(), request_options(kept)); !asked)
            return std::unexpected{std::move(asked).error()};
        return reply.wait(*clock);
    }

    Expected<js::PublishAck> try_commit() {
        Kept& last = kept_[size_ - 1];
        last.options.headers.set("Nats-Batch-Commit", "1");
        last.plain = false;
        auto ack = publish_and_wait(link_, last.subject, last.encoded(), request_options(last));
        if (!ack || ack->batched == size_) return ack;
        return failure(Errc::batch_refused,
                       fmt::format("commit of an atomic batch on {}: the stream {} stored {} of its {} messages: its "
                                   "server does not know atomic batches, or they went to several streams",
                                   detail::quoted(last.subject), detail::quoted(ack->stream),
                                   std::max<std::uint64_t>(ack->batched, 1), size_));
    }

    /// All once more, as another batch; only after an error which says that nothing of it was stored.
    Expected<js::PublishAck> send_all() {
        id_ = random_id();
        for (std::size_t i = 0; i < size_; ++i) number(kept_[i], i + 1);
        for (std::size_t i = 0; i + 1 < size_; ++i) {
            const auto sent =
                i == 0 ? send_first(kept_[0]) : link_.publish(kept_[i].subject, kept_[i].encoded(), kept_[i].options);
            if (!sent) return std::unexpected{sent.error()};
        }
        return try_commit();
    }

    std::shared_ptr<const JsApi> api_;
    Link& link_;
    std::string id_;
    std::vector<Kept> kept_ = {};  // the first `size_`; the others are memory
    std::size_t size_ = 0;
    TimePoint kept_at_ = {};  // the last one
    std::optional<Error> lost_ = {};
};

template class MessageBatch<BatchSender>;

}  // namespace freshet::detail

namespace freshet::js {

AtomicBatch::AtomicBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link)
    : MessageBatch{link, std::make_unique<detail::BatchSender>(std::move(api), link)} {}

}  // namespace freshet::js
