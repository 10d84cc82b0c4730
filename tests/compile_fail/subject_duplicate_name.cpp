// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has two parameters of the same name
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"{region}.orders.{region}">;
