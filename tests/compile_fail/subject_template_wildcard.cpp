// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject to publish on has a wildcard; '*' and '>' are for subscribing only
#include <freshet/static_subject.hpp>

template struct freshet::StaticTemplate<"orders.*.created">;
