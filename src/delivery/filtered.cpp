// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/filtered.hpp>

#include <algorithm>

#include "base/error_state.hpp"
#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

class FilteredHandler final : public HandlerBase {
public:
    FilteredHandler(std::vector<FilterCase> cases, std::unique_ptr<HandlerBase> otherwise) noexcept
        : cases_{std::move(cases)}, otherwise_{std::move(otherwise)} {}

    bool takes_body() const noexcept override {
        return std::ranges::all_of(
                   cases_, [](const auto& one) { return one.handler == nullptr || one.handler->takes_body(); }) &&
               (otherwise_ == nullptr || otherwise_->takes_body());
    }

    void bind(Binder& binder) override {
        for (const auto& one : cases_) bind(one.handler.get(), binder);
        bind(otherwise_.get(), binder);
    }

    Outcome invoke(Context& context) override {
        for (const auto& one : cases_) {
            if (one.matches(context)) return one.handler->invoke(context);
        }
        if (otherwise_ != nullptr) return otherwise_->invoke(context);
        const auto missing = "no handler takes this message on " + quoted(context.subject());
        return ContextAccess::reject(
            context,
            with_text_for_callers(Errc::unmatched,
                                  missing + ": no when() matches, and handle() was given no default handler", missing));
    }

    void describe(std::vector<const HandlerShape*>& shapes) const override {
        for (const auto& one : cases_) {
            if (one.handler != nullptr) one.handler->describe(shapes);
        }
        if (otherwise_ != nullptr) otherwise_->describe(shapes);
    }

private:
    static void bind(HandlerBase* handler, Binder& binder) {
        if (handler == nullptr) return;
        if (handler->takes_batches())
            binder.problem(
                "a handler of batches cannot be one of several with when(); use one handler for all messages");
        handler->bind(binder);
    }

    std::vector<FilterCase> cases_;
    std::unique_ptr<HandlerBase> otherwise_;
};

}  // namespace

std::unique_ptr<HandlerBase> make_filtered(std::vector<FilterCase> cases, std::unique_ptr<HandlerBase> otherwise) {
    return std::make_unique<FilteredHandler>(std::move(cases), std::move(otherwise));
}

}  // namespace freshet::detail
