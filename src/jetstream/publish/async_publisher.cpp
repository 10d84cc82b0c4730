// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/async_publisher.hpp>

#include <algorithm>
#include <utility>

#include <freshet/subject.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/publish/publish_window.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::js {

AsyncPublisher::AsyncPublisher(std::shared_ptr<const detail::JsApi> api, detail::Link& link,
                               const AsyncPublisherOptions& options)
    : api_{std::move(api)}, link_{&link} {
    auto send = [&link](const detail::PublishWindow::Outgoing& message, detail::ReplySink& sink) {
        return link.request_into(sink, message.subject, {message.body, message.content_type}, message.request);
    };
    auto report = [&link](const std::string& text) {
        link.report(detail::FailureLog::Kind::callback_threw, "asynchronous publisher", {Errc::remote, text});
    };
    window_ = std::make_shared<detail::PublishWindow>(link.clock(), std::max<std::size_t>(options.max_pending, 1),
                                                      std::move(send), std::move(report));
}

Expected<void> AsyncPublisher::start_encoded(std::string_view subject, const detail::Encoded& encoded,
                                             const PublishOptions& options, Done done) {
    if (!detail::may_publish_on(subject)) return std::unexpected{detail::subject_error(subject, SubjectUse::publish)};
    if (auto able = detail::check_publish_options(*api_, options); !able) return able;
    auto headers = detail::publish_headers(subject, options);
    if (!headers) return std::unexpected{std::move(headers).error()};
    // Sets the correlation id now: another thread may send the message again, and does not know the handler.
    if (const auto id = detail::correlation_in_scope(); !id.empty() && !headers->contains(detail::correlation_header))
        headers->set(detail::correlation_header, id);
    window_->publish({.subject = subject,
                      .body = encoded.body,
                      .content_type = encoded.content_type,
                      .request = {.timeout = options.timeout.count() > 0 ? options.timeout : api_->options().timeout,
                                  .headers = *std::move(headers)},
                      .has_id = !options.id.empty(),
                      .retries = options.retries,
                      .retry_wait = options.retry_wait},
                     std::move(done));
    return {};
}

Expected<void> AsyncPublisher::try_flush(std::chrono::milliseconds timeout) { return window_->flush(timeout); }

std::size_t AsyncPublisher::pending() const { return window_->pending(); }

}  // namespace freshet::js
