// SPDX-License-Identifier: Apache-2.0
#include "delivery/chain.hpp"

#include <algorithm>
#include <ranges>

#include "base/error_state.hpp"
#include "base/exception_text.hpp"
#include "delivery/subscriber_core.hpp"

namespace freshet {
namespace {

Outcome guarded(detail::Step* const* step, Context& context) noexcept {
    try {
        return (*step)->run(context, Next{step + 1});
    } catch (...) { return detail::ContextAccess::subscriber(context).caught(context); }
}

}  // namespace

Outcome Next::operator()(Context& context) {
    auto* const* const step = std::exchange(rest_, nullptr);
    if (step == nullptr)
        raise({Errc::bad_setup, "a middleware called next twice (or a Next that it had moved from), and the handler "
                                "ran once; call it once. See docs/middleware.md#rules"});
    return guarded(step, context);
}

Outcome Next::operator()(Context& context, Bytes body) {
    const detail::BufferLease payload;  // puts a NUL behind it, as behind every payload
    payload->append(body);
    const detail::BodyScope scope{detail::ContextAccess::message(context), payload->bytes()};
    return (*this)(context);
}

namespace detail {

void Chain::bind(Layers layers, Binder& binder, Step& log, Step& last) {
    *this = Chain{};
    for (const auto& layer : layers) {
        for (const auto& make : layer->steps) owned_.push_back(make(binder));
        owned_publish_.insert(owned_publish_.end(), layer->publish_steps.begin(), layer->publish_steps.end());
    }
    steps_.push_back(&log);
    for (const auto& step : owned_) steps_.push_back(step.get());
    steps_.push_back(&last);
    for (const auto& step : owned_publish_) publish_steps_.push_back(step.get());
    for (const auto& layer : layers | std::views::reverse) bind_error_handlers(*layer, binder);
}

/// Adds the error handlers of a layer, each before those for a base class of its exception.
void Chain::bind_error_handlers(const Layer& layer, Binder& binder) {
    const auto begin = static_cast<std::ptrdiff_t>(error_handlers_.size());
    for (const auto& make : layer.error_handlers) {
        auto added = make(binder);
        const auto base = std::find_if(error_handlers_.begin() + begin, error_handlers_.end(),
                                       [&](const auto& known) { return known->is_base_of(*added); });
        error_handlers_.insert(base, std::move(added));
    }
}

std::optional<Outcome> Chain::handle(Context& context, const Error* error) const noexcept {
    if (error_handlers_.empty()) return std::nullopt;
    ContextAccess::answer_only(context);
    try {
        for (const auto& handler : error_handlers_) {
            if (auto outcome = handler->handle(context, error)) return outcome;
        }
    } catch (...) { return thrown_by_error_handler(context); }
    return std::nullopt;
}

/// Returns the outcome after the exception in flight, which an error handler threw: a RemoteError is its answer, Ack
/// and its like are its outcome. Returns nothing for any other, which it logs.
std::optional<Outcome> Chain::thrown_by_error_handler(Context& context) noexcept {
    auto& subscriber = ContextAccess::subscriber(context);
    if (auto outcome = subscriber.outcome_thrown(context)) return outcome;
    const auto thrown = exception_error();
    if (is_answer(thrown)) return ContextAccess::fail(context, thrown);
    subscriber.log_failure(context, FailureLog::Kind::on_error_threw, "the on_error function threw", thrown);
    return std::nullopt;
}

RemoteError coded_answer(int code, const std::string& description, const std::exception* error) {
    constexpr int first_failure = 500;
    if (const auto* const own = dynamic_cast<const Error*>(error); own != nullptr && is_answer(*own)) {
        try {
            raise(*own);
        } catch (const RemoteError& answer) { return answer; }
    }
    if (!description.empty()) return {code, description};
    return {code, code < first_failure && error != nullptr ? error->what() : ""};
}

}  // namespace detail
}  // namespace freshet
