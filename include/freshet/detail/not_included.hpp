// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sources of the module jetstream, so that the compiler names the header to whoever uses one without it. Clang
// shows the forward declaration. GCC would speak of designators; if there is none, it looks in other namespaces.
#ifdef __clang__

namespace freshet {
namespace js {
struct Pull;     // include <freshet/jetstream.hpp>
struct Push;     // include <freshet/jetstream.hpp>
struct Ordered;  // include <freshet/jetstream.hpp>
}  // namespace js
namespace kv {
struct Watch;  // include <freshet/jetstream.hpp>
}
namespace obj {
struct Watch;  // include <freshet/jetstream.hpp>
}
}  // namespace freshet

#else

namespace freshet::detail::include_freshet_jetstream_hpp {
struct Pull;
struct Push;
struct Ordered;
struct Watch;
}  // namespace freshet::detail::include_freshet_jetstream_hpp

#endif
