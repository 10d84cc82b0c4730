// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/stream_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumers.hpp"

namespace freshet::detail {
namespace {

// A pull that gets nothing ends after this time: the messages that it waits for were removed from the stream meanwhile.
constexpr std::chrono::milliseconds pull_expires{1'000};
// Long enough for a slow reader; the server removes the consumer after it if this program has died.
constexpr std::chrono::milliseconds inactive_threshold = std::chrono::minutes{5};
constexpr int max_failures = 8;
// "consumer delivery policy is deliver last per subject, but optional filter subject is not set"
constexpr int err_no_filter = 10'094;
constexpr std::chrono::milliseconds pause_step{250};

/// Returns whether the error may pass: the server cannot be reached, or has just started.
bool may_pass(const Error& error) {
    return error.code() == Condition::timeout || error.code() == Condition::no_responders ||
           error.code() == Errc::disconnected;
}

}  // namespace

StreamReader::StreamReader(const JsApi& api, ReadSpec spec) : api_{api}, spec_{std::move(spec)} {}

StreamReader::~StreamReader() { drop_consumer(); }

Expected<void> StreamReader::begin() {
    auto& link = api_.link();
    inbox_ = link.options().inbox_prefix + '.' + random_id() + '.';
    received_ = std::make_shared<StreamInbox>(link.clock(), inbox_, spec_.arrived);
    if (auto made = make_consumer(); !made || at_end_) return made;
    // Subscribes on the connection that asks, so that the server knows the inbox before it gets a request.
    auto subscription = link.transport().subscribe(
        {.subject = inbox_ + '*', .max_pending_messages = 0, .max_pending_bytes = 0, .lane = freshet::Lane::replies},
        received_);
    if (!subscription) return std::unexpected{std::move(subscription).error()};
    subscription_ = *std::move(subscription);
    link.watch(received_);
    return {};
}

Expected<void> StreamReader::make_consumer() {
    js::ConsumerConfig config{.deliver = spec_.last_per_subject ? js::Deliver::last_per_subject : js::Deliver::all,
                              .filter_subjects = spec_.filters,
                              .acks = js::Acks::none,
                              .headers_only = spec_.headers_only,
                              .inactive_threshold = inactive_threshold,
                              .replicas = 1,
                              .memory_storage = true};
    // Goes on from a sequence, except for the latest of each subject: that would read history, so they are all read
    // again, and the inbox drops those it has.
    if (const auto last = received_->stream_sequence(); last != 0 && !spec_.last_per_subject) {
        config.deliver = js::Deliver::from_sequence;
        config.start_sequence = last + 1;
    }
    // A name of its own lets permissions depend on the filter, see create_operation().
    const auto name = random_id();
    auto json = consumer_to_json(config);
    json["name"] = name;
    const auto operation = create_operation(spec_.stream, name, json);
    const Json request{{"stream_name", spec_.stream}, {"config", json}};
    const auto created = api_.call(operation, spec_.what, request);
    if (created) consumer_ = name;
    // An older server ignores the filters: it refuses the consumer, or would deliver everything.
    const bool no_filter = !created && created.error().remote_code() == err_no_filter;
    const auto answer = created ? field<Json>(*created, "config", Json::object()) : Json::object();
    if (created || (no_filter && spec_.filters.size() > 1)) {
        const auto kept = check_settings_kept(consumer_settings_with_version(json), answer, spec_.what);
        if (!kept) return kept;
    }
    if (!created) return std::unexpected{created.error()};
    asked_ = 0;
    alone_ = false;
    received_->follow(consumer_);
    at_end_ = field<std::uint64_t>(*created, "num_pending") == 0;
    return {};
}

void StreamReader::drop_consumer() noexcept {
    if (consumer_.empty()) return;
    forget_consumer(api_, spec_.stream, std::exchange(consumer_, {}));
}

Expected<void> StreamReader::pull() {
    const NextRequest request{.batch = alone_ ? 1 : spec_.batch,
                              .expires = pull_expires,
                              .max_bytes = alone_ ? 0 : std::max<std::size_t>(spec_.window / 2, 1)};
    asked_ += request.batch;
    alone_ = false;
    const auto body = request.body();
    // The name of the consumer in the reply subject tells whose status comes back.
    return api_.link().publish(api_.subject(consumer_operation("MSG.NEXT", spec_.stream, consumer_)),
                               {.body = as_bytes(body)}, {.reply_to = inbox_ + consumer_, .flush = Flush::now});
}

Expected<void> StreamReader::recover() {
    if (const auto refusal = received_->refusal()) return std::unexpected{*refusal};
    drop_consumer();
    while (++failures_ <= max_failures) {
        auto made = make_consumer();
        if (made || !may_pass(made.error()) || failures_ == max_failures) return made;
        pause(api_.link().clock(), failures_ * pause_step);
    }
    return failure(Errc::timeout, spec_.what + ": the stream " + spec_.stream +
                                      " sends nothing although it has more: is the server overloaded?");
}

Expected<std::optional<StreamMessage>> StreamReader::next() {
    if (failed_) return std::unexpected{*failed_};
    Expected<void> fine{};
    if (received_ == nullptr) fine = begin();
    while (fine && !at_end_) {
        // Keeps two batches under way: one is read while the next one comes.
        while (fine && asked_ <= spec_.batch) fine = pull();
        if (!fine) break;
        auto message = received_->next(pull_expires + api_.options().timeout);
        if (!message) {
            fine = recover();
            continue;
        }
        if (message->left) {
            asked_ -= std::min(asked_, *message->left);
            alone_ = *message->left == spec_.batch;
            continue;
        }
        asked_ -= std::min<std::size_t>(asked_, 1);
        at_end_ = message->metadata.pending == 0;
        if (message->repeated) continue;
        failures_ = 0;
        return message;
    }
    drop_consumer();
    if (!fine) return std::unexpected{failed_.emplace(fine.error())};
    return std::optional<StreamMessage>{};
}

}  // namespace freshet::detail
