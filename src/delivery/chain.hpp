// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <freshet/detail/layer.hpp>

namespace freshet::detail {

/// The middlewares and error handlers around the handler of one subscriber: the layers of its broker, of its routers
/// and its own, flattened, outermost first. Does not change after bind(); thread-safe then.
class Chain {
public:
    using Layers = std::span<const std::shared_ptr<const Layer>>;

    /// Makes the steps of all layers. The innermost middleware wraps `last`; `log` wraps all of it in run_logged().
    void bind(Layers layers, Binder& binder, Step& log, Step& last);

    /// Returns true if there is no middleware: run() would only call the last step. Before bind(), too.
    bool empty() const noexcept { return steps_.size() <= 2; }
    bool bound() const noexcept { return !steps_.empty(); }
    Outcome run(Context& context) const { return Next{steps_.data() + 1}(context); }
    Outcome run_logged(Context& context) const { return Next{steps_.data()}(context); }

    bool handles_errors() const noexcept { return !error_handlers_.empty(); }
    /// Gives the exception in flight, or `error` if it is not null, to the nearest error handler that takes it; within
    /// one layer, the one for the most derived type. Returns the handler's outcome, or nothing if no handler takes it
    /// or the handler threw, which is logged.
    std::optional<Outcome> handle(Context& context, const Error* error) const noexcept;

    std::span<PublishStep* const> publish_steps() const noexcept { return publish_steps_; }

private:
    void bind_error_handlers(const Layer& layer, Binder& binder);
    static std::optional<Outcome> thrown_by_error_handler(Context& context) noexcept;

    std::vector<std::shared_ptr<Step>> owned_ = {};
    std::vector<Step*> steps_ = {};  // the first writes the access log
    std::vector<std::shared_ptr<PublishStep>> owned_publish_ = {};
    std::vector<PublishStep*> publish_steps_ = {};
    std::vector<std::shared_ptr<ErrorHandler>> error_handlers_ = {};  // in the order in which they are tried
};

}  // namespace freshet::detail
