// SPDX-License-Identifier: Apache-2.0
#include <freshet/router.hpp>

#include <algorithm>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

SubscriberSpec made_of(const SubscriberSpec& kept, std::optional<AckPolicy> ack_policy) {
    SubscriberSpec made{.subject = kept.subject,
                        .options = kept.options,
                        .publish_to = kept.publish_to,
                        .handler = kept.make_handler ? kept.make_handler() : nullptr,
                        .own = kept.own};
    for (const auto& one : kept.cases) made.cases.push_back({one.matches, one.make_handler(), {}});
    if (kept.make_source) {
        auto source = kept.make_source(ack_policy);
        made.options = std::move(source.options);
        made.source = std::move(source.source);
    }
    return made;
}

}  // namespace

std::uint64_t RouterNode::begin(const std::string& subject) {
    check_open("subscriber " + quoted(subject));
    drafts_.emplace_back(subject);
    return drafts_.size();
}

std::shared_ptr<SubscriberCore> RouterNode::add(SubscriberSpec spec) {
    check_open("subscriber " + quoted(spec.subject));
    if (spec.draft != 0) drafts_[spec.draft - 1].reset();
    subscribers_.push_back(std::move(spec));
    return nullptr;
}

void RouterNode::include(std::shared_ptr<RouterNode> inner) {
    check_open("include");
    if (inner->reaches(*this))
        raise({Errc::bad_setup, "include: the router " + quoted(inner->prefix_) +
                                    " includes this one already, and no router can include itself"});
    if (std::ranges::find(included_, inner) != included_.end())
        raise({Errc::bad_setup,
               "include: the router " + quoted(inner->prefix_) + " is included here already; include it once"});
    included_.push_back(std::move(inner));
}

Layer& RouterNode::layer(const char* what) {
    check_open(what);
    return *layer_;
}

std::vector<SubscriberSpec> RouterNode::expand() {
    seal();
    return preview();
}

std::vector<SubscriberSpec> RouterNode::preview() const {
    std::vector<SubscriberSpec> all;
    expand({}, all);
    return all;
}

void RouterNode::seal() noexcept {
    sealed_ = true;
    for (const auto& inner : included_) inner->seal();
}

void RouterNode::expand(Path outer, std::vector<SubscriberSpec>& into) const {
    outer.prefix += prefix_;
    outer.layers.push_back(layer_);
    if (layer_->ack_policy) outer.ack_policy = layer_->ack_policy;
    for (const auto& kept : subscribers_) {
        auto made = made_of(kept, outer.ack_policy);
        made.subject.insert(0, outer.prefix);
        made.layers = outer.layers;
        into.push_back(std::move(made));
    }
    for (const auto& subject : drafts_)
        if (subject) into.push_back({.subject = outer.prefix + *subject});
    for (const auto& inner : included_) inner->expand(outer, into);
}

bool RouterNode::reaches(const RouterNode& other) const noexcept {
    return this == &other || std::ranges::any_of(included_, [&](const auto& inner) { return inner->reaches(other); });
}

void RouterNode::check_open(const std::string& what) const {
    if (sealed_)
        raise({Errc::bad_setup, what + ": the router " + quoted(prefix_) +
                                    " belongs to a broker that was started; call it before start()"});
}

}  // namespace freshet::detail
