// SPDX-License-Identifier: Apache-2.0
// A function's type names what it depends on, so it must have been declared before: a cycle cannot be written.
// expect: second
#include <freshet/broker.hpp>

int first(freshet::Depends<&second>);
int second(freshet::Depends<&first>);
