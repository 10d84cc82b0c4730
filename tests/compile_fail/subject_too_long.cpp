// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern is longer than 3072 bytes
#include <freshet/static_subject.hpp>

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X3072 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256

template struct freshet::StaticSubject<X3072 "x">;
