// SPDX-License-Identifier: Apache-2.0
#pragma once

// JetStream, for programs that link freshet::jetstream. <freshet/freshet.hpp> does not include it.
#include <freshet/js/account_info.hpp>
#include <freshet/js/async_publisher.hpp>
#include <freshet/js/atomic_batch.hpp>
#include <freshet/js/consumer.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/consumer_info.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/counter_value.hpp>
#include <freshet/js/dead_letters.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/fast_batch.hpp>
#include <freshet/js/jetstream.hpp>
#include <freshet/js/ordered.hpp>
#include <freshet/js/priority.hpp>
#include <freshet/js/publish_options.hpp>
#include <freshet/js/pull.hpp>
#include <freshet/js/push.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/js/stored_message.hpp>
#include <freshet/js/stream.hpp>
#include <freshet/js/stream_handle.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/kv/kv.hpp>
#include <freshet/kv/options.hpp>
#include <freshet/kv/watch.hpp>
#include <freshet/kv/watcher.hpp>
#include <freshet/obj/info.hpp>
#include <freshet/obj/options.hpp>
#include <freshet/obj/store.hpp>
#include <freshet/obj/watch.hpp>
#include <freshet/obj/watcher.hpp>
