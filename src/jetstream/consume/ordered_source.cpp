// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/ordered.hpp>

#include <functional>
#include <utility>

#include <freshet/subject.hpp>
#include <freshet/transport.hpp>

#include "delivery/start_guard.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumers.hpp"
#include "jetstream/consume/ordered_settings.hpp"
#include "jetstream/consume/stream_description.hpp"

namespace freshet::detail {
namespace {

/// Passes the messages on, and reports those that are handled.
class SinkListener final : public OrderedListener {
public:
    SinkListener(std::shared_ptr<MessageSink> sink, std::function<void()> declare)
        : sink_{std::move(sink)}, declare_{std::move(declare)} {}

    void handled(const Message& message) const { handled_(message.payload().size()); }

    void on_open(std::function<void(std::size_t)> handled) noexcept override { handled_ = std::move(handled); }
    void on_start(std::uint64_t) noexcept override {}
    void on_message(Message message, const Metadata&) noexcept override { sink_->on_message(std::move(message)); }
    void on_reset(std::uint64_t) noexcept override {}
    void on_missing() noexcept override {
        if (declare_) declare_();
    }
    void on_lost(const Error& why) noexcept override {
        if (const auto sink = lost_sink_.lock()) sink->on_lost(why);
    }
    void on_back() noexcept override {
        if (const auto sink = lost_sink_.lock()) sink->on_back();
    }

    void on_end() noexcept override { std::exchange(sink_, nullptr)->on_end(); }

private:
    std::shared_ptr<MessageSink> sink_;
    const std::weak_ptr<MessageSink> lost_sink_{sink_};  // for calls from any thread
    const std::function<void()> declare_;
    std::function<void(std::size_t)> handled_ = {};
};

/// Feeds a subscriber from js::Ordered. Settles nothing.
class OrderedSource final : public Source {
public:
    explicit OrderedSource(js::Ordered options) : options_{std::move(options)} {}

    void expect_bodies(Binder& binder) override {
        if (options_.headers_only)
            binder.problem("its headers_only delivers no payloads, and the handler takes the body; take a Message");
    }
    void describe(SourceDescription& description) const override {
        description.kind = SourceKind::ordered;
        describe_stream(options_.stream, options_.context, description);
        description.consumer_settings = settings_text(consumer_to_json(ordered_config(options_)));
        description.filter_subjects = options_.filter_subjects;
    }
    void bind(const Subject& subject, Binder& binder) override { check_ordered(options_, subject, binder); }

    Expected<void> declare(Link& link) override {
        const auto declared = declare_stream_of(JsApi{link, options_.context}, options_.stream);
        if (!declared) return std::unexpected{declared.error()};
        return {};
    }

    Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) override {
        if (auto declared = declare(link); !declared) return declared;
        auto ordered = ordered_options(options_, options_.context);
        if (ordered.filter_subjects.empty() && subject.wire() != ">")
            ordered.filter_subjects = {std::string{subject.wire()}};
        listener_ = std::make_shared<SinkListener>(std::move(sink), redeclare_lost(link, options_, options_.context));
        auto started = OrderedConsumer::start(link, std::move(ordered), listener_);
        if (!started) {
            listener_ = nullptr;  // it keeps the subscriber, which keeps this source
            return std::unexpected{started.error()};
        }
        consumer_ = *std::move(started);
        const auto asked = guard_.begun();
        if (asked.quiesce) consumer_->quiesce();
        if (asked.stop) consumer_->stop(*asked.stop);
        return {};
    }

    void quiesce() noexcept override {
        if (guard_.quiesce()) consumer_->quiesce();
    }

    void stop(std::chrono::milliseconds timeout) noexcept override {
        if (guard_.stop(timeout)) consumer_->stop(timeout);
    }

    void settle(Message message, const Handled&) noexcept override { listener_->handled(message); }
    bool answerable() const noexcept override { return false; }

    std::size_t pending() const noexcept override { return guard_.running() ? consumer_->pending() : 0; }
    std::uint64_t dropped() const noexcept override { return 0; }

private:
    const js::Ordered options_;
    std::shared_ptr<SinkListener> listener_ = {};     // set by start()
    std::unique_ptr<OrderedConsumer> consumer_ = {};  // set before the guard runs, then kept until the end
    StartGuard guard_ = {};
};

}  // namespace
}  // namespace freshet::detail

namespace freshet::js {

detail::SourceSpec linked_source(Ordered options) {
    SubscriberOptions run{.on_lost = options.on_lost, .about = options.about};
    return {std::move(run), std::make_unique<detail::OrderedSource>(std::move(options))};
}

}  // namespace freshet::js
