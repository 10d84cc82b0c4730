// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/stream_confirmer.hpp"

#include <utility>

#include <freshet/js/atomic_batch.hpp>

#include "jetstream/publish/publish_window.hpp"
#include "jetstream/stream/streams.hpp"
#include "subject/subject_sets.hpp"

namespace freshet::detail {
namespace {

// The server's limit for one batch.
constexpr std::size_t most_atomic = 1'000;
// A stream that refused a batch is not asked again for this long.
constexpr std::chrono::minutes refusal_time{1};
// The server's error for a batch of which a message's id is stored already.
constexpr int duplicate_in_batch = 10'201;

/// Returns whether the next batch would be refused for the same reason: no allow_atomic, an older server, several
/// streams.
bool refuses_batches(const Error& why) {
    return why.code() == Errc::server_too_old ||
           (why.code() == Errc::batch_refused && why.remote_code() != duplicate_in_batch);
}

}  // namespace

StreamConfirmer::StreamConfirmer(Link& link, const js::ContextOptions& context, Confirmations::Returned returned)
    : api_{std::make_shared<const JsApi>(link, context)}, publisher_{api_, link, {}}, returned_{std::move(returned)} {
    publisher_.window_->count(nullptr);  // the subscriber counts what its handler publishes
}

Expected<std::vector<std::string>> StreamConfirmer::stored_of(std::string_view pattern) {
    const auto streams = list_streams(*api_, pattern);
    if (!streams) return std::unexpected{streams.error()};
    std::vector<std::string> stored;
    for (const auto& stream : *streams) {
        if (stream.config.no_ack.value_or(false)) continue;
        for (const auto& subject : stream.config.subjects)
            if (overlap(subject, pattern)) stored.push_back(subject);
    }
    return stored;
}

Expected<void> StreamConfirmer::publish(std::string_view subject, const Encoded& encoded, Headers headers,
                                        std::string id, std::shared_ptr<Confirmations> confirmations) {
    confirmations->tell_returned(returned_);
    return publisher_.start_encoded(subject, encoded, {.headers = std::move(headers), .id = std::move(id)},
                                    [confirmations = std::move(confirmations)](Expected<js::PublishAck> ack) {
                                        if (ack) confirmations->confirm({});
                                        else confirmations->confirm(std::unexpected{std::move(ack).error()});
                                    });
}

Expected<void> StreamConfirmer::publish_together(std::span<const Letter> letters) {
    if (may_be_atomic(letters.size())) {
        const auto sent = publish_atomically(letters);
        if (sent) return sent;
        // Some were stored when the messages came before, or the batch was stored and its confirmation lost: the ids
        // keep each from being stored twice.
        if (refuses_batches(sent.error())) not_atomic_until_ = api_->link().clock().now() + refusal_time;
    }
    return publish_each(letters);
}

bool StreamConfirmer::may_be_atomic(std::size_t letters) const noexcept {
    return letters > 1 && letters <= most_atomic && api_->link().clock().now() >= not_atomic_until_.load();
}

Expected<void> StreamConfirmer::publish_atomically(std::span<const Letter> letters) {
    js::AtomicBatch batch{api_, api_->link()};
    for (const auto& letter : letters) {
        const Encoded body{as_bytes(letter.body), letter.content_type};
        if (auto added = batch.add_encoded(letter.subject, body, {.headers = letter.headers, .id = letter.id}); !added)
            return added;
    }
    if (const auto stored = batch.try_commit(); !stored) return std::unexpected{stored.error()};
    return {};
}

Expected<void> StreamConfirmer::publish_each(std::span<const Letter> letters) {
    const auto confirmations = std::make_shared<Confirmations>();
    for (const auto& letter : letters) {
        confirmations->expect();
        auto sent = publish(letter.subject, {as_bytes(letter.body), letter.content_type}, letter.headers, letter.id,
                            confirmations);
        if (!sent) confirmations->confirm(std::move(sent));
    }
    auto confirmed = confirmations->wait(api_->link().clock(), TimePoint::max());
    const auto counts = api_->link().traffic().stream();
    if (confirmed) counts->add(letters.size());
    else counts->fail(confirmed.error());
    return confirmed;
}

}  // namespace freshet::detail
