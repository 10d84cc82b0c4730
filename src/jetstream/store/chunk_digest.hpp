// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>
#include <string>

#include "jetstream/store/digest.hpp"

namespace freshet::detail {

/// Computes SHA-256 of the first chunks that arrive, as many as the object has, beside the thread that reads them.
/// Thread-safe.
class ChunkDigest {
public:
    explicit ChunkDigest(std::uint64_t chunks) : left_{chunks} {}

    void add(Bytes chunk) noexcept {
        const std::lock_guard lock{mutex_};
        if (left_ == 0) return;
        --left_;
        try {
            digest_.add(chunk);
        } catch (...) { failed_ = std::current_exception(); }
    }
    /// Returns the digest, or throws why it could not be computed. Call it once.
    std::string finish() {
        const std::lock_guard lock{mutex_};
        if (failed_) std::rethrow_exception(failed_);
        left_ = 0;
        return digest_.finish();
    }

private:
    std::mutex mutex_ = {};  // late chunks may still come while the object is finished
    Sha256 digest_ = {};
    std::uint64_t left_;
    std::exception_ptr failed_ = {};
};

}  // namespace freshet::detail
