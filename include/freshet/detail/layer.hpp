// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/ack_policy.hpp>
#include <freshet/depends.hpp>
#include <freshet/detail/error_handler.hpp>
#include <freshet/detail/handler_shape.hpp>
#include <freshet/detail/publish_step.hpp>
#include <freshet/middleware.hpp>

namespace freshet::detail {

/// One element around a handler: a middleware or a dependency. May run on several threads at once.
class Step {
public:
    Step() = default;
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    virtual ~Step() = default;
    virtual Outcome run(Context& context, Next next) = 0;
};

/// The elements that a broker, a router or a subscriber puts around its handlers, in the order of declaration. Each
/// list holds functions where an element depends on the subscriber (a path's token, an injected object): they make it
/// when a subscriber is bound.
struct Layer {
    std::vector<std::function<std::shared_ptr<Step>(Binder&)>> steps = {};
    std::vector<std::shared_ptr<PublishStep>> publish_steps = {};
    std::vector<std::function<std::shared_ptr<ErrorHandler>(Binder&)>> error_handlers = {};
    std::optional<AckPolicy> ack_policy = {};
    About about = {};                                // of a router
    std::vector<const HandlerShape*> taken = {};     // what the dependencies take
    std::vector<const HandlerShape*> answered = {};  // what the error handlers answer
};

template <class F>
class MiddlewareStep final : public Step {
public:
    explicit MiddlewareStep(F middleware) : middleware_{std::move(middleware)} {}
    Outcome run(Context& context, Next next) override { return middleware_(context, std::move(next)); }

private:
    F middleware_;
};

template <class F>
class PublishMiddlewareStep final : public PublishStep {
public:
    explicit PublishMiddlewareStep(F middleware) : middleware_{std::move(middleware)} {}
    Expected<void> run(Outgoing& out, NextPublish next) override { return middleware_(out, std::move(next)); }

private:
    F middleware_;
};

/// Calls a function of Depends for every message, and keeps the result while the handler runs.
template <auto Function>
class DependencyStep final : public Step {
public:
    explicit DependencyStep(Binder& binder) : plan_{bind_argument<Depends<Function>>(binder)} {}

    Outcome run(Context& context, Next next) override {
        Argument<Depends<Function>> made;
        DependencyScope scope{context};
        std::optional<Error> error;
        if (!made.take(plan_, context, error)) return scope.end(ContextAccess::refuse(context, std::move(error)));
        return scope.end(next(context));
    }

private:
    typename Argument<Depends<Function>>::Plan plan_;
};

template <class F>
void add_middleware(Layer& layer, F&& middleware) {
    using Function = std::decay_t<F>;
    static_assert(Middleware<Function>,
                  "freshet: a middleware is called with (Context&, Next) and returns an Outcome, "
                  "usually the one that next(context) returned. See docs/middleware.md#middleware");
    if constexpr (Middleware<Function>) {
        std::shared_ptr<Step> step = std::make_shared<MiddlewareStep<Function>>(std::forward<F>(middleware));
        layer.steps.emplace_back([step](Binder&) { return step; });
    }
}

template <class F>
void add_publish_middleware(Layer& layer, F&& middleware) {
    using Function = std::decay_t<F>;
    static_assert(PublishMiddleware<Function>,
                  "freshet: a publish middleware is called with (Outgoing&, NextPublish) and returns Expected<void>, "
                  "usually the one that next(out) returned. See docs/middleware.md#publications");
    if constexpr (PublishMiddleware<Function>)
        layer.publish_steps.push_back(std::make_shared<PublishMiddlewareStep<Function>>(std::forward<F>(middleware)));
}

template <auto Function, class Pattern>
void add_dependency(Layer& layer) {
    if constexpr (dependency_ok<Depends<Function>, Pattern>) {
        layer.steps.emplace_back([](Binder& binder) -> std::shared_ptr<Step> {
            return std::make_shared<DependencyStep<Function>>(binder);
        });
        layer.taken.push_back(&handler_shape<void(typename DependencyOf<Function>::Arguments)>);
    }
}

template <class E, class Pattern, class F>
void add_error_handler(Layer& layer, F&& handler) {
    using Function = std::decay_t<F>;
    if constexpr (CheckErrorHandler<E, Pattern, Function>::ok) {
        auto shared = std::make_shared<Function>(std::forward<F>(handler));
        layer.answered.push_back(&result_shape<std::remove_cvref_t<typename Signature<Function>::Result>>);
        layer.error_handlers.emplace_back([shared](Binder& binder) -> std::shared_ptr<ErrorHandler> {
            return std::make_shared<TypedErrorHandler<E, Function, typename Signature<Function>::Arguments>>(shared,
                                                                                                             binder);
        });
    }
}

template <class E, class Pattern>
void add_error_code(Layer& layer, int code, std::string description) {
    add_error_handler<E, Pattern>(layer, CodedAnswer<E>{code, std::move(description)});
}

}  // namespace freshet::detail
