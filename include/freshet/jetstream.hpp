// SPDX-License-Identifier: Apache-2.0
#pragma once

// JetStream, for programs that link freshet::jetstream. <freshet/freshet.hpp> does not include it.
#include <freshet/js/context_options.hpp>
#include <freshet/js/jetstream.hpp>
