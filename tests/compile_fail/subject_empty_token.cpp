// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has an empty token ('..', or a '.' at an end). See docs/handlers.md#subjects
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"orders..created">;
