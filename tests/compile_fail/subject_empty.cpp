// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern is empty
#include <freshet/static_subject.hpp>

template struct freshet::StaticSubject<"">;
