// SPDX-License-Identifier: Apache-2.0
// The checks and look-ups before the first message.
#include <algorithm>
#include <utility>

#include "base/quoted.hpp"
#include "delivery/endpoint.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

class SubscriberBinder final : public Binder {
public:
    SubscriberBinder(const Subject& subject, const SubscriberCore& subscriber, std::vector<std::string>& problems)
        : subject_{subject}, subscriber_{subscriber}, problems_{problems} {}

    std::optional<std::size_t> token_of(std::string_view name) const override { return subject_.token_of(name); }
    void* provided(const std::type_info& type) const override {
        if (auto* const observer = subscriber_.observer()) observer->on_inject(subject_.pattern(), type);
        return subscriber_.host().provided(type);
    }
    std::shared_ptr<Clock> clock() const override { return subscriber_.link().shared_clock(); }
    const void* replacement(const void* key) const noexcept override { return subscriber_.host().replacement(key); }
    bool carries(const std::type_info& type) const noexcept override { return subscriber_.source().carries(type); }
    void problem(std::string text) override {
        text.insert(0, "subscriber " + quoted(subject_.pattern()) + ": ");
        // Two parameters may miss the same object or token.
        if (std::ranges::find(problems_, text) == problems_.end()) problems_.push_back(std::move(text));
    }

private:
    const Subject& subject_;
    const SubscriberCore& subscriber_;
    std::vector<std::string>& problems_;
};

}  // namespace

void SubscriberCore::bind(std::vector<std::string>& problems) {
    auto parsed = Subject::parse(spec_.subject);
    if (!parsed) {
        problems.emplace_back(parsed.error().message());
        return;
    }
    subject_ = *std::move(parsed);
    observer_ = host_->observer();
    SubscriberBinder binder{*subject_, *this, problems};
    if (spec_.endpoint != nullptr) {
        spec_.endpoint->bind(binder, observer_);
        observer_ = spec_.endpoint.get();
    }
    conclusion_.observe(observer_);
    if (!spec_.cases.empty()) spec_.handler = make_filtered(std::move(spec_.cases), std::move(spec_.handler));
    if (spec_.handler == nullptr) binder.problem("it has no handler; call .handle(...)");
    else bind_handler(binder);
    bind_chain(binder);
    source_->bind(*subject_, binder);
    if (const auto* const measuring = link_->traffic().measuring())
        counts_.measure(*measuring, spec_.subject, source_->group());
    results_.bind(spec_.publish_to, *subject_, source_->keeps() ? Results::Stored::yes : Results::Stored::no,
                  link_->traffic(), binder);
    bind_order(binder);
}

void SubscriberCore::rebind() {
    if (!subject_ || spec_.handler == nullptr) return;
    std::vector<std::string> known;  // bind() has reported them
    SubscriberBinder binder{*subject_, *this, known};
    spec_.handler->bind(binder);
    bind_chain(binder);
}

void SubscriberCore::bind_handler(Binder& binder) {
    const auto& batch = spec_.options.batch;
    if (!spec_.handler->takes_batches()) {
        if (batch.size > 0 || batch.isolate)
            binder.problem("it has batch options, so its handler must take std::span<const T>");
    } else if (batch.size == 0) {
        binder.problem(
            "its handler takes a batch, and no size is set; set one, as in `.batch = {.size = 100, .within = 50ms}`");
    } else if (batch.within.count() < 0) {
        binder.problem("batch.within is " + std::to_string(batch.within.count()) + " ms; a time cannot be negative");
    }
    if (spec_.handler->takes_body()) source_->expect_bodies(binder);
    spec_.handler->bind(binder);
}

void SubscriberCore::bind_chain(Binder& binder) {
    route_ = {.link = link_, .correlation_of = &ContextAccess::correlation_in_scope};
    if (spec_.bare) return;
    if (answers_) conclusion_.expect_answers();
    std::vector<std::shared_ptr<const Layer>> layers{host_->layer()};
    layers.insert(layers.end(), spec_.layers.begin(), spec_.layers.end());
    if (spec_.own != nullptr) layers.push_back(spec_.own);
    chain_.bind(layers, binder, access_log_, innermost_);
    route_.steps = chain_.publish_steps();
    if (!chain_.publish_steps().empty()) link_->expect_publish_steps();
}

void SubscriberCore::bind_order(Binder& binder) {
    const auto& key = spec_.options.ordered_by;
    if (key.path().empty()) return;
    order_token_ = subject_->token_of(key.path());
    if (!order_token_) binder.problem("ordered_by names {" + key.path() + "}, which the subject does not have");
}

}  // namespace freshet::detail
