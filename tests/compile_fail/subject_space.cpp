// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has a space or a control character
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"orders created">;
