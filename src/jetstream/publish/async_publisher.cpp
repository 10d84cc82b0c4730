// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/async_publisher.hpp>

#include <algorithm>
#include <utility>

#include <freshet/subject.hpp>

#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "jetstream/api/api.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/publish/publish_window.hpp"
#include "jetstream/publish/repeats.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::js {

namespace {

using Outgoing = detail::PublishWindow::Outgoing;

Expected<void> send_now(detail::Link& link, const Outgoing& message, detail::ReplySink& sink) {
    return link.request_into(sink, message.subject, {message.body, message.content_type}, message.request);
}

/// Asks first whether the server has what the message needs, without blocking.
void send_if_able(const detail::JsApi& api, const Outgoing& message, detail::ReplySink& sink) {
    api.level_async([&link = api.link(), &message, &sink](const Expected<int>& level) {
        const auto sent = [&]() noexcept -> Expected<void> {
            try {
                if (!level) return std::unexpected{level.error()};
                auto able = detail::check_level(*level, message.need.version, message.need.feature);
                return able ? send_now(link, message, sink) : able;
            } catch (...) { return std::unexpected{detail::exception_error()}; }
        }();
        if (sent) return;
        sink.on_reply(std::unexpected{sent.error()});
        sink.on_end();
    });
}

}  // namespace

AsyncPublisher::AsyncPublisher(std::shared_ptr<const detail::JsApi> api, detail::Link& link,
                               const AsyncPublisherOptions& options)
    : api_{std::move(api)}, link_{&link} {
    auto send = [api = api_](const detail::PublishWindow::Outgoing& message,
                             detail::ReplySink& sink) -> Expected<void> {
        if (message.need.version.empty()) return send_now(api->link(), message, sink);
        send_if_able(*api, message, sink);
        return {};
    };
    auto report = [&link](const std::string& text) {
        link.report(detail::FailureLog::Kind::callback_threw, "asynchronous publisher", {Errc::remote, text});
    };
    window_ = std::make_shared<detail::PublishWindow>(link.clock(), std::max<std::size_t>(options.max_pending, 1),
                                                      std::move(send), std::move(report));
    window_->count(link.traffic().stream());
    link.traffic().watch(window_);
}

Expected<void> AsyncPublisher::start_encoded(std::string_view subject, const detail::Encoded& encoded,
                                             const PublishOptions& options, Done done) {
    if (!detail::may_publish_on(subject)) return std::unexpected{detail::subject_error(subject, SubjectUse::publish)};
    // A callback must not wait until the server has told what it is able to.
    const bool later = !detail::may_wait() && !api_->knows_level();
    if (!later)
        if (auto able = detail::check_publish_options(*api_, options); !able) return able;
    auto headers = detail::publish_headers(subject, options);
    if (!headers) return std::unexpected{std::move(headers).error()};
    // Sets the correlation id now: another thread may send the message again, and does not know the handler.
    if (const auto id = detail::correlation_in_scope(); !id.empty() && !headers->contains(detail::correlation_header))
        headers->set(detail::correlation_header, id);
    const detail::Repeats repeats{*api_, options};
    window_->publish({.subject = subject,
                      .body = encoded.body,
                      .content_type = encoded.content_type,
                      .request = {.timeout = repeats.patience, .headers = *std::move(headers)},
                      .has_id = !options.id.empty(),
                      .retries = repeats.retries,
                      .retry_wait = options.retry_wait,
                      .patience = repeats.patience,
                      .until = repeats.until,
                      .ordered = detail::expects_order(options),
                      .need = later ? detail::need_of(options) : detail::Need{}},
                     std::move(done));
    return {};
}

Expected<void> AsyncPublisher::try_flush(std::chrono::milliseconds timeout) { return window_->flush(timeout); }

std::size_t AsyncPublisher::pending() const { return window_->pending(); }

}  // namespace freshet::js
