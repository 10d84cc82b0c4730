// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/jetstream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet {
namespace js {

JetStream::JetStream(detail::BrokerCore& core, const ContextOptions& options)
    : core_{&core}, api_{std::make_shared<const detail::JsApi>(core, options)} {}

const ContextOptions& JetStream::options() const noexcept { return api_->options(); }

}  // namespace js

js::JetStream Broker::jetstream() { return js::JetStream{core()}; }
js::JetStream Broker::jetstream(const js::ContextOptions& options) { return js::JetStream{core(), options}; }

}  // namespace freshet
