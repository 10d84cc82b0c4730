// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has a bad parameter name
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"orders.{the-region}">;
