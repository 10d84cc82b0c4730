// SPDX-License-Identifier: Apache-2.0
#include "link/publish_chain.hpp"

#include <deque>
#include <memory>

#include <freshet/subject.hpp>

#include "base/callback_scope.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "link/handler_scope.hpp"
#include "link/link.hpp"
#include "subject/plain_subject.hpp"

namespace freshet {

Expected<void> NextPublish::operator()(Outgoing& out) {
    auto* const last = std::exchange(last_, nullptr);
    if (last == nullptr)
        return failure(Errc::bad_setup,
                       "a publish middleware called next twice, and the message was sent once; call it "
                       "once. See docs/middleware.md#rules");
    auto* const step = rest_ == end_ ? last : *rest_;
    try {
        return step->run(out, NextPublish{rest_ == end_ ? end_ : rest_ + 1, end_, *last});
    } catch (...) { return std::unexpected{detail::exception_error()}; }
}

namespace detail {
namespace {

/// Borrows a Headers object of this thread, which keeps its capacity between uses. Leases nest.
class HeadersLease {
public:
    explicit HeadersLease(const Headers* copied) : own_{ended_ ? std::make_unique<Headers>() : nullptr} {
        if (own_ == nullptr && used_ == all_.headers.size()) all_.headers.emplace_back();
        headers_ = own_ != nullptr ? own_.get() : &all_.headers[used_];
        ++used_;
        if (copied != nullptr) *headers_ = *copied;
        else headers_->clear();
    }
    HeadersLease(const HeadersLease&) = delete;
    HeadersLease& operator=(const HeadersLease&) = delete;
    ~HeadersLease() { --used_; }

    Headers& operator*() const noexcept { return *headers_; }

private:
    struct All {
        ~All() { ended_ = true; }
        std::deque<Headers> headers;  // a deque, because leases hold pointers to its elements
    };
    // True when all_ was destroyed: statics are destroyed after the main thread's objects, and may publish.
    static constinit inline thread_local bool ended_ = false;
    static inline thread_local All all_;
    static inline thread_local std::size_t used_ = 0;

    std::unique_ptr<Headers> own_;
    Headers* headers_;
};

/// Sends the publication. The innermost publish middleware wraps it.
class SendStep final : public PublishStep {
public:
    SendStep(Link& link, const Publication& publication) noexcept : link_{link}, publication_{publication} {}

    Expected<void> run(Outgoing& out, NextPublish) override {
        const bool changed = out.subject.data() != publication_.subject.data();
        if ((changed || out.subject.size() != publication_.subject.size()) && !may_publish_on(out.subject))
            return std::unexpected{subject_error(out.subject, SubjectUse::publish)};
        reached_ = true;
        return link_.send_enveloped({.subject = out.subject,
                                     .reply_to = out.reply_to,
                                     .payload = out.body,
                                     .headers = out.headers.empty() ? nullptr : &out.headers,
                                     .flush = publication_.flush,
                                     .lane = publication_.lane},
                                    out.content_type);
    }
    bool reached() const noexcept { return reached_; }

private:
    Link& link_;
    const Publication& publication_;
    bool reached_ = false;
};

}  // namespace

Expected<void> send_through(Link& link, std::span<PublishStep* const> steps, const Publication& publication,
                            std::string_view content_type, Outgoing::Kind kind) {
    const PublishScope scope;
    const CallbackScope callback;  // a middleware may stop or destroy a broker
    const auto* const handler = HandlerScope::current();
    const HeadersLease headers{publication.headers};
    Outgoing out{.kind = kind,
                 .subject = publication.subject,
                 .body = publication.payload,
                 .content_type = content_type,
                 .reply_to = publication.reply_to,
                 .headers = *headers,
                 .delivery = handler == nullptr ? nullptr : &handler->context()};
    SendStep last{link, publication};
    auto sent = NextPublish{steps.data(), steps.data() + steps.size(), last}(out);
    if (sent && kind == Outgoing::Kind::request && !last.reached())
        return failure(Errc::bad_setup, "request on " + quoted(publication.subject) +
                                            ": a publish middleware returned success without calling next, so that "
                                            "no answer can come; call next, or return an error");
    return sent;
}

}  // namespace detail
}  // namespace freshet
