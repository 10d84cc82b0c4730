// SPDX-License-Identifier: Apache-2.0
#include "nats/library.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>

#include <nats/nats.h>
#include <openssl/crypto.h>

#include "base/fork.hpp"
#include "nats/last_words.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {
namespace {

natsStatus open_cnats() {
#ifdef FRESHET_HAS_THREADSTARTEDHANDLER
    natsClientConfig config{};
    config.LockSpinCount = -1;  // cnats's default
    config.ThreadStartedHandler = &last_words::freshet_on_thread_started;
    if (nats_OpenWithConfig(&config) == NATS_OK) return NATS_OK;
    // The program has opened cnats itself: then nobody learns why a server ends a connection.
#endif
    return nats_Open(-1);
}

}  // namespace

void open_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Keeps OpenSSL from cleaning up when the process exits: cnats's threads free their OpenSSL objects a moment
        // after a connection was closed, perhaps during the exit.
        ::OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
        if (const auto status = open_cnats(); status != NATS_OK)
            raise(to_error(status, "cannot start the NATS client library (cnats)"));
        watch_forks();
    });
}

void grow_delivery_pool(int threads) {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    const int size = threads > 0 ? threads : std::max(cores, 2);
    if (const auto status = nats_SetMessageDeliveryPoolSize(size); status != NATS_OK) {
        raise(to_error(status, "cannot make the pool of " + std::to_string(size) + " delivery threads"));
    }
}

}  // namespace freshet::detail::nats
