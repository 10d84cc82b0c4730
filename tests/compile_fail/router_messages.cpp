// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a router's subscriber needs a handler
#include <freshet/broker.hpp>

void wire(freshet::Router<>& router) { auto messages = router.subscriber<"invoice">().messages(); }
