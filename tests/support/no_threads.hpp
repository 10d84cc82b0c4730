// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <pthread.h>

#include <catch2/catch_test_macros.hpp>

namespace freshet::testing {

/// Keeps the process from making threads while it lives: a stack of the size that new threads get does not exist.
class NoThreads {
public:
    NoThreads() {
        REQUIRE(pthread_getattr_default_np(&as_before_) == 0);
        pthread_attr_t too_large;
        REQUIRE(pthread_attr_init(&too_large) == 0);
        REQUIRE(pthread_attr_setstacksize(&too_large, std::size_t{1} << 47) == 0);
        REQUIRE(pthread_setattr_default_np(&too_large) == 0);
        pthread_attr_destroy(&too_large);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;
    ~NoThreads() {
        pthread_setattr_default_np(&as_before_);
        pthread_attr_destroy(&as_before_);
    }

private:
    pthread_attr_t as_before_ = {};
};

}  // namespace freshet::testing
