// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/fast_batch.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/publish/message_batch.hpp"
#include "jetstream/publish/publish.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

/// What a message is for the server; a token of its reply subject.
enum class FastStep : std::uint8_t { begin = 0, add = 1, end = 3, ping = 4 };

// Pings in the time after which a silence ends the batch: an acknowledgement may be lost.
constexpr int pings = 3;

}  // namespace

/// Receives the answers to a batch.
class FastAnswers final : public MessageSink {
public:
    explicit FastAnswers(std::string what) : what_{std::move(what)} {}

    void on_message(Message message) noexcept override {
        const std::lock_guard lock{mutex_};
        if (message.status() == 503) fail({Errc::no_stream, what_ + ": no stream stores this subject"});
        else if (auto answer = parse_js_answer(what_, message.text())) read(*answer);
        else fail(answer.error());
        changed_.notify_all();
    }
    void on_end() noexcept override {
        const std::lock_guard lock{mutex_};
        fail({Errc::closed, what_ + ": the broker ended"});
        changed_.notify_all();
    }

    /// Blocks until `done(*this)` or an error. Returns false at `deadline`.
    template <class Done>
    bool wait(Clock& clock, TimePoint deadline, Done&& done) {
        std::unique_lock lock{mutex_};
        return wait_until(clock, lock, changed_, deadline, [&] { return failed_ || done(*this); });
    }

    struct State {
        bool accepted = false;
        std::uint64_t acknowledged = 0;
        std::uint64_t flow = 0;
        std::vector<js::FastGap> gaps = {};
        std::optional<js::PublishAck> committed = {};
        std::optional<Error> failed = {};
    };
    /// Returns the state at this moment, and takes the gaps out of it.
    State state() {
        const std::lock_guard lock{mutex_};
        return {accepted_, acknowledged_, flow_, std::exchange(gaps_, {}), committed_, failed_};
    }

    // Called inside wait().
    bool accepted() const noexcept { return accepted_; }
    bool committed() const noexcept { return committed_.has_value(); }
    std::uint64_t acknowledged() const noexcept { return acknowledged_; }
    std::uint64_t flow() const noexcept { return flow_; }

private:
    void read(const Json& answer) {
        const auto type = field<std::string>(answer, "type");
        if (type == "ack") {
            accepted_ = true;
            acknowledged_ = std::max(acknowledged_, field<std::uint64_t>(answer, "seq"));
            flow_ = std::max<std::uint64_t>(field<std::uint64_t>(answer, "msgs"), 1);
        } else if (type == "gap") {
            const auto next = field<std::uint64_t>(answer, "seq");
            if (next > 0) gaps_.push_back({.first = field<std::uint64_t>(answer, "last_seq"), .last = next - 1});
        } else if (answer.contains("error")) {
            fail(js_error(what_, answer["error"]));
        } else if (!answer.contains("batch")) {
            fail({Errc::batch_refused, what_ + ": the stream stored the first message by itself: its server does not "
                                               "know fast batches"});
        } else {
            committed_ = js::PublishAck{.stream = field<std::string>(answer, "stream"),
                                        .sequence = field<std::uint64_t>(answer, "seq"),
                                        .domain = field<std::string>(answer, "domain"),
                                        .batched = field<std::uint64_t>(answer, "count")};
        }
    }
    void fail(Error why) {
        if (!failed_ && !committed_) failed_ = std::move(why);
    }

    const std::string what_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    bool accepted_ = false;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t flow_ = 1;
    std::vector<js::FastGap> gaps_ = {};
    std::optional<js::PublishAck> committed_ = {};
    std::optional<Error> failed_ = {};
};

/// Publishes the messages of one batch, and waits for its acknowledgements when too few have come.
class FastSender {
public:
    FastSender(std::shared_ptr<const JsApi> api, Link& link, js::FastBatchOptions options)
        : api_{std::move(api)},
          link_{link},
          options_{std::move(options)},
          timeout_{options_.timeout.count() > 0 ? options_.timeout : api_->options().timeout},
          inbox_{link.options().inbox_prefix + '.' + random_id()} {}

    Expected<void> add(std::string_view subject, const Encoded& encoded, const js::PublishOptions& options) {
        if (auto ready = check(subject, options); !ready) return ready;
        auto headers = publish_headers(subject, options);
        if (!headers) return std::unexpected{std::move(headers).error()};
        if (size_ == 0) {
            if (auto begun = begin(subject); !begun) return begun;
        }
        if (auto room = wait_for_room(); !room) return room;
        ++size_;
        const auto step = size_ == 1 ? FastStep::begin : FastStep::add;
        if (auto sent = send(subject, encoded, *std::move(headers), step); !sent) return over(sent.error());
        if (step == FastStep::begin) return wait([](const FastAnswers& answers) { return answers.accepted(); });
        return report();
    }

    Expected<js::PublishAck> commit() {
        if (over_) return std::unexpected{*over_};
        if (size_ == 0) return failure(Errc::bad_setup, "commit of a fast batch: nothing was added");
        if (!may_wait()) return std::unexpected{wait_refused("commit of a fast batch")};
        ++size_;  // the end has a number, too
        auto sent = send(subject_, {}, {}, FastStep::end);
        --size_;
        if (sent) sent = wait([](const FastAnswers& answers) { return answers.committed(); });
        if (!sent) return std::unexpected{over(sent.error()).error()};
        over_ = Error{Errc::bad_setup, "this fast batch was committed: begin another one"};
        return *answers_->state().committed;
    }

    std::uint64_t size() const noexcept { return size_; }
    std::uint64_t stored() const { return answers_ == nullptr ? 0 : std::min(answers_->state().acknowledged, size_); }

private:
    Expected<void> check(std::string_view subject, const js::PublishOptions& options) const {
        if (over_) return std::unexpected{*over_};
        if (!may_publish_on(subject)) return std::unexpected{subject_error(subject, SubjectUse::publish)};
        if (!may_wait()) return std::unexpected{wait_refused("publish to " + quoted(subject) + " in a fast batch")};
        if (size_ == 0)
            if (auto able = api_->needs("2.14", "a fast batch"); !able) return able;
        return check_publish_options(*api_, options);
    }

    Expected<void> begin(std::string_view subject) {
        subject_ = subject;
        answers_ = std::make_shared<FastAnswers>("publish to " + quoted(subject) + " in a fast batch");
        auto subscription = link_.transport().subscribe({.subject = inbox_ + ".>",
                                                         .max_pending_messages = 0,
                                                         .max_pending_bytes = 0,
                                                         .lane = freshet::Lane::replies},
                                                        answers_);
        if (!subscription) return over(subscription.error());
        subscription_ = *std::move(subscription);
        return {};
    }

    Expected<void> send(std::string_view subject, const Encoded& encoded, Headers headers, FastStep step) {
        const auto* const gap = options_.on_gap ? "ok" : "fail";
        return link_.publish(subject, encoded,
                             {.headers = std::move(headers),
                              .reply_to = fmt::format("{}.{}.{}.{}.{}.$FI", inbox_, options_.flow, gap, size_,
                                                      static_cast<int>(step))});
    }

    Expected<void> wait_for_room() {
        if (size_ == 0) return {};
        return wait([this](const FastAnswers& answers) {
            return size_ < answers.acknowledged() + answers.flow() * std::max<std::uint64_t>(options_.ahead, 1);
        });
    }

    /// Blocks until `done`. Asks for the last acknowledgement when none comes.
    template <class Done>
    Expected<void> wait(Done done) {
        auto& clock = link_.clock();
        for (int left = pings; !answers_->wait(clock, clock.now() + timeout_ / pings, done); --left) {
            if (left == 0) {
                return over({Errc::timeout, fmt::format("publish to {} in a fast batch: no acknowledgement within the "
                                                        "timeout; up to message {} it is stored",
                                                        quoted(subject_), stored())});
            }
            if (size_ > 0) std::ignore = send(subject_, {}, {}, FastStep::ping);
        }
        return report();
    }

    /// Reports what the answers said.
    Expected<void> report() {
        const auto state = answers_->state();
        for (const auto& gap : state.gaps)
            if (options_.on_gap) options_.on_gap(gap);
        if (state.failed) return over(*state.failed);
        return {};
    }

    Expected<void> over(const Error& why) {
        over_ = why;
        return std::unexpected{why};
    }

    std::shared_ptr<const JsApi> api_;
    Link& link_;
    const js::FastBatchOptions options_;
    const std::chrono::milliseconds timeout_;
    const std::string inbox_;
    std::string subject_ = {};  // of the first message
    std::shared_ptr<FastAnswers> answers_ = {};
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::uint64_t size_ = 0;
    std::optional<Error> over_ = {};
};

template class MessageBatch<FastSender>;

}  // namespace freshet::detail

namespace freshet::js {

FastBatch::FastBatch(std::shared_ptr<const detail::JsApi> api, detail::Link& link, FastBatchOptions options)
    : MessageBatch{link, std::make_unique<detail::FastSender>(std::move(api), link, std::move(options))} {}

std::uint64_t FastBatch::stored() const { return sender().stored(); }

}  // namespace freshet::js
