// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/stored_batches.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/may_wait.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "jetstream/stream/stored_messages.hpp"

namespace freshet::detail {
namespace {

// One batch, so that what is on its way fits into the memory of a connection.
constexpr std::size_t batch_messages = 1'000;
constexpr std::size_t batch_bytes = std::size_t{4} << 20;

/// The messages of batches, between the thread that receives and the one that reads.
class Replies final : public MessageSink {
public:
    explicit Replies(std::shared_ptr<Clock> clock) : clock_{std::move(clock)} {}

    void on_message(Message message) noexcept override {
        const std::lock_guard lock{mutex_};
        messages_.push_back(std::move(message));
        changed_.notify_all();
    }
    void on_end() noexcept override {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        changed_.notify_all();
    }
    /// The next one; nothing if none came in time.
    std::optional<Message> next(std::chrono::nanoseconds timeout) {
        std::unique_lock lock{mutex_};
        wait_until(*clock_, lock, changed_, clock_->now() + timeout, [this] { return !messages_.empty() || ended_; });
        if (messages_.empty()) return std::nullopt;
        auto message = std::move(messages_.front());
        messages_.pop_front();
        return message;
    }

private:
    const std::shared_ptr<Clock> clock_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Message> messages_ = {};
    bool ended_ = false;
};

/// Asks for batches, each on a subject of its own.
class BatchReader {
public:
    /// The place where a batch ended.
    struct End {
        std::uint64_t pending = 0;
        std::uint64_t up_to_sequence = 0;
    };

    BatchReader(const JsApi& api, const std::string& stream, const std::string& what)
        : api_{api},
          stream_{stream},
          subject_{api.subject("DIRECT.GET." + stream)},
          what_{what},
          inbox_{api.link().options().inbox_prefix + '.' + random_id() + '.'},
          replies_{std::make_shared<Replies>(api.link().shared_clock())} {}

    Expected<void> open() {
        if (!api_.link().is_open()) return failure(Errc::closed, what_ + ": the broker is not running");
        auto subscription = api_.link().transport().subscribe({.subject = inbox_ + '*',
                                                               .max_pending_messages = 0,
                                                               .max_pending_bytes = 0,
                                                               .lane = freshet::Lane::replies},
                                                              replies_);
        if (!subscription) return std::unexpected{std::move(subscription).error()};
        subscription_ = *std::move(subscription);
        return {};
    }

    /// Adds the messages of one batch to `messages`.
    Expected<End> read(const Json& request, std::vector<js::StoredMessage>& messages) {
        const auto inbox = inbox_ + std::to_string(++batches_);
        const auto body = request.dump();
        auto asked = api_.link().publish(subject_, {.body = as_bytes(body)}, {.reply_to = inbox, .flush = Flush::now});
        if (!asked) return std::unexpected{js_request_error(what_, subject_, asked.error())};
        while (auto reply = replies_->next(api_.options().timeout)) {
            if (reply->subject() != inbox) continue;  // of a batch before
            if (reply->status() == 503)
                return std::unexpected{
                    direct_error(api_, stream_, what_, {Errc::no_responders, "nobody listens on " + subject_})};
            if (reply->status() == 204) {
                return End{.pending = number_in(*reply, "Nats-Num-Pending"),
                           .up_to_sequence = number_in(*reply, "Nats-UpTo-Sequence")};
            }
            auto stored = stored_from_direct(what_, stream_, *std::move(reply));
            if (!stored && stored.error().code() == Errc::message_not_found) return End{};
            if (!stored) return std::unexpected{std::move(stored).error()};
            messages.push_back(*std::move(stored));
        }
        const Error silent{Errc::timeout, "silence"};
        return std::unexpected{js_request_error(what_, subject_, silent)};
    }

private:
    static std::uint64_t number_in(const Message& message, std::string_view header) {
        return FromText<std::uint64_t>::parse(message.header(header).value_or("")).value_or(0);
    }

    const JsApi& api_;
    const std::string& stream_;
    const std::string subject_;
    const std::string& what_;
    const std::string inbox_;  // with a dot at its end
    const std::shared_ptr<Replies> replies_;
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::size_t batches_ = 0;
};

}  // namespace

Expected<std::vector<js::StoredMessage>> read_stored(const JsApi& api, const std::string& stream,
                                                     const std::string& what, Json request, std::size_t limit) {
    if (auto valid = check_js_name("stream", stream); !valid) return std::unexpected{std::move(valid).error()};
    if (!may_wait()) return std::unexpected{wait_refused(what)};
    if (auto able = api.needs("2.11", "reading several messages of a stream at once"); !able)
        return std::unexpected{std::move(able).error()};
    BatchReader reader{api, stream, what};
    if (auto open = reader.open(); !open) return std::unexpected{std::move(open).error()};
    std::vector<js::StoredMessage> messages;
    request["max_bytes"] = batch_bytes;
    while (messages.size() < limit) {
        const auto before = messages.size();
        request["batch"] = std::min(limit - before, batch_messages);
        const auto end = reader.read(request, messages);
        if (!end) return std::unexpected{end.error()};
        if (end->pending == 0 || messages.size() == before) break;
        request["seq"] = messages.back().sequence() + 1;
        request.erase("start_time");
        if (request.contains("multi_last")) request["up_to_seq"] = end->up_to_sequence;
    }
    return messages;
}

}  // namespace freshet::detail
