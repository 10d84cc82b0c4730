// SPDX-License-Identifier: Apache-2.0
// What templates call: see <freshet/detail/core.hpp>.
#include <freshet/detail/core.hpp>

#include <memory>
#include <utility>

#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "base/wait.hpp"
#include "link/link.hpp"
#include "link/reply_sinks.hpp"

namespace freshet::detail {

Error bad_answer(std::string_view subject, const Error& error) {
    return {error.code(), "the answer to " + quoted(subject) + " cannot be decoded: " + error.what()};
}

Format default_format(const Link& link) noexcept { return link.options().format; }

PublishCounts& publish_counts(Link& link) noexcept { return link.traffic().dynamic(); }
PublishCounts& publish_counts(Link& link, std::string_view subject) { return link.traffic().publisher(subject); }
RequestCounts& request_counts(Link& link) noexcept { return link.traffic().dynamic_requests(); }
RequestCounts& request_counts(Link& link, std::string_view subject) { return link.traffic().client(subject); }

Expected<void> publish(Link& link, PublishCounts& counts, std::string_view subject, const Encoded& encoded,
                       const PublishOptions& options) {
    return link.publish_counted(counts, subject, encoded, options);
}

Expected<Message> request(Link& link, RequestCounts& counts, std::string_view subject, const Encoded& encoded,
                          const RequestOptions& options) {
    return link.request(subject, encoded, options, AnswersOf::services, {counts, link.clock()});
}

void request_async(Link& link, RequestCounts& counts, std::string_view subject, const Encoded& encoded,
                   const RequestOptions& options, ReplyHandler handler) {
    link.request_async(subject, encoded, options, std::move(handler), AnswersOf::services, {counts, link.clock()});
}

void refuse_async(Link& link, std::string_view subject, ReplyHandler handler, const Error& why) {
    AsyncReply{subject, std::move(handler), link}.on_reply(std::unexpected{why});
}

void require_may_wait(std::string_view what) {
    if (!may_wait()) raise(wait_refused(what));
}

bool run_until(Link& link, const std::function<bool()>& done) {
    return run_until(link.clock(), TimePoint::max(), done);
}

std::unique_ptr<ReplyQueue> request_many(Link& link, std::string_view subject, const Encoded& encoded,
                                         const RequestManyOptions& options) {
    return link.request_many(subject, encoded, options, AnswersOf::services,
                             {link.traffic().dynamic_requests(), link.clock()});
}

}  // namespace freshet::detail
