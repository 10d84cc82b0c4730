// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has an empty token
#include <freshet/static_subject.hpp>

template struct freshet::StaticTemplate<"orders.*..created">;
