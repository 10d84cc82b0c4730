// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/broker.hpp>
#include <freshet/js/context_options.hpp>

namespace freshet::detail {
class JsApi;
}

namespace freshet::js {

/// JetStream as broker.jetstream() gives it: streams, and publishing into them.
///
/// Cheap to copy; every function may be called from any thread, also inside handlers. It refers to its broker, which must outlive it
/// and must have been started when a function is called (else Errc::closed). Functions block for
/// ContextOptions::timeout at most, unless they say otherwise.
class JetStream {
public:
    /// Throws Error(Errc::bad_setup) for a domain or a prefix that cannot be part of a subject.
    explicit JetStream(detail::BrokerCore& core, const ContextOptions& options = {});

    const ContextOptions& options() const noexcept;
    const std::shared_ptr<const detail::JsApi>& api() const noexcept { return api_; }

private:
    std::shared_ptr<const detail::JsApi> api_;
};

}  // namespace freshet::js
