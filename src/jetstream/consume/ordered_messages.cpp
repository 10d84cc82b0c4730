// SPDX-License-Identifier: Apache-2.0
// JetStream::ordered, for programs that are not services.
#include <freshet/js/ordered_messages.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include <freshet/extract.hpp>
#include <freshet/subject.hpp>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "jetstream/consume/consumer_session.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/ordered_messages.hpp"
#include "jetstream/consume/ordered_settings.hpp"

namespace freshet::detail {
namespace {

/// Keeps the first problem.
class FirstProblem final : public Binder {
public:
    std::optional<std::size_t> token_of(std::string_view) const override { return std::nullopt; }
    void* provided(const std::type_info&) const override { return nullptr; }
    void problem(std::string text) override {
        if (text_.empty()) text_ = std::move(text);
    }
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_ = {};
};

}  // namespace

/// Holds the messages that come until the program reads them.
class OrderedQueue {
public:
    static Expected<std::unique_ptr<OrderedQueue>> start(const JsApi& api, const js::Ordered& options) {
        auto& link = api.link();
        auto ordered = ordered_options(options, api.options());
        auto listener = std::make_shared<Listener>(link.clock(), "stream " + quoted(ordered.stream),
                                                   redeclare_lost(link, options, api.options()));
        auto consumer = OrderedConsumer::start(link, std::move(ordered), listener);
        if (!consumer) return std::unexpected{std::move(consumer).error()};
        return std::unique_ptr<OrderedQueue>{new OrderedQueue{std::move(listener), *std::move(consumer)}};
    }
    OrderedQueue(const OrderedQueue&) = delete;
    OrderedQueue& operator=(const OrderedQueue&) = delete;
    ~OrderedQueue() { stop(); }

    std::optional<Message> next(std::optional<std::chrono::milliseconds> timeout) { return listener_->next(timeout); }
    void drain() noexcept { consumer_->stop(arrival_time); }
    void stop() noexcept {
        listener_->close();
        consumer_->stop(std::chrono::milliseconds{0});
    }

private:
    class Listener final : public OrderedListener {
    public:
        Listener(Clock& clock, std::string what, std::function<void()> declare)
            : clock_{clock}, what_{std::move(what)}, declare_{std::move(declare)} {}

        void on_open(std::function<void(std::size_t)> handled) noexcept override { handled_ = std::move(handled); }
        void on_start(std::uint64_t) noexcept override {}
        void on_message(Message message, const Metadata&) noexcept override {
            const std::lock_guard lock{mutex_};
            if (ended_) return;
            gone_ = false;
            messages_.push_back(std::move(message));
            changed_.notify_all();
        }
        void on_reset(std::uint64_t) noexcept override {}
        void on_missing() noexcept override {
            if (declare_) return declare_();
            const std::lock_guard lock{mutex_};
            gone_ = true;
            changed_.notify_all();
        }
        void on_end() noexcept override {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            changed_.notify_all();
        }

        void close() noexcept {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            messages_.clear();
            changed_.notify_all();
        }

        std::optional<Message> next(std::optional<std::chrono::milliseconds> timeout) {
            const auto deadline = timeout ? clock_.now() + std::min(*timeout, longest_timeout) : TimePoint::max();
            std::unique_lock lock{mutex_};
            const auto ready = [this] { return ended_ || gone_ || !messages_.empty(); };
            if (!ready() && deadline > clock_.now() && !may_wait())
                raise(wait_refused("reading the next message of " + what_));
            wait_until(clock_, lock, changed_, deadline, ready);
            if (messages_.empty()) {
                if (std::exchange(gone_, false) && !ended_) {
                    raise({Errc::stream_not_found,
                           "read " + what_ + ": it does not exist any more; create it again, or stop()"});
                }
                return std::nullopt;
            }
            auto message = std::move(messages_.front());
            messages_.pop_front();
            lock.unlock();
            handled_(message.payload().size());
            return message;
        }

    private:
        Clock& clock_;
        const std::string what_;
        const std::function<void()> declare_;
        std::function<void(std::size_t)> handled_ = {};  // set before the first message
        std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        std::deque<Message> messages_ = {};
        bool gone_ = false;  // the stream, and next() has not said so
        bool ended_ = false;
    };

    OrderedQueue(std::shared_ptr<Listener> listener, std::unique_ptr<OrderedConsumer> consumer) noexcept
        : listener_{std::move(listener)}, consumer_{std::move(consumer)} {}

    const std::shared_ptr<Listener> listener_;
    const std::unique_ptr<OrderedConsumer> consumer_;
};

Expected<js::OrderedMessages> read_in_order(const JsApi& api, const js::Ordered& options) {
    FirstProblem problem;
    check_ordered(options, *Subject::parse(">"), problem);
    if (!problem.text().empty()) {
        return failure(Errc::bad_setup,
                       "read stream " + quoted(options.stream.name()) + " in order: " + problem.text());
    }
    if (!may_wait()) return std::unexpected{wait_refused("reading stream " + quoted(options.stream.name()))};
    if (const auto declared = declare_stream_of(api, options.stream); !declared)
        return std::unexpected{declared.error()};
    auto queue = OrderedQueue::start(api, options);
    if (!queue) return std::unexpected{std::move(queue).error()};
    return js::OrderedMessages{*std::move(queue)};
}

}  // namespace freshet::detail

namespace freshet::js {

OrderedMessages::OrderedMessages(std::unique_ptr<detail::OrderedQueue> queue) noexcept : queue_{std::move(queue)} {}
OrderedMessages::OrderedMessages(OrderedMessages&&) noexcept = default;
OrderedMessages::~OrderedMessages() = default;

std::optional<Message> OrderedMessages::next(std::chrono::milliseconds timeout) { return queue_->next(timeout); }
void OrderedMessages::drain() noexcept { queue_->drain(); }
void OrderedMessages::stop() noexcept { queue_->stop(); }

OrderedMessages::Iterator& OrderedMessages::Iterator::operator++() {
    current_ = messages_->queue_->next(std::nullopt);
    return *this;
}

}  // namespace freshet::js
