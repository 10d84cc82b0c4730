// SPDX-License-Identifier: Apache-2.0
#include <freshet/js/jetstream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet {
namespace js {

JetStream::JetStream(detail::Link& link, const ContextOptions& options)
    : link_{&link}, api_{std::make_shared<const detail::JsApi>(link, options)} {}

const ContextOptions& JetStream::options() const noexcept { return api_->options(); }

}  // namespace js

js::JetStream Broker::jetstream() { return js::JetStream{link()}; }
js::JetStream Broker::jetstream(const js::ContextOptions& options) { return js::JetStream{link(), options}; }

}  // namespace freshet
