// SPDX-License-Identifier: Apache-2.0
#include "nats/library.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>

#include <nats/nats.h>
#include <openssl/crypto.h>

#include "base/fork.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {
void open_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Keeps OpenSSL from cleaning up when the process exits: cnats's threads free their OpenSSL objects a moment
        // after a connection was closed, perhaps during the exit.
        ::OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
        if (const auto status = nats_Open(-1); status != NATS_OK)
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
