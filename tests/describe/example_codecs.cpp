// SPDX-License-Identifier: Apache-2.0
// The example that specialises templates of freshet, which no other namespace may do.
#define main codecs_main
#define wire wire_codecs
#include "../../examples/codecs/codecs.cpp"
