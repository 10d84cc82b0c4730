// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has '{' or '}' inside a longer token
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"orders.{region}-x">;
