// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "wait.hpp"

namespace freshet::testing {

/// What handlers saw, in order. Thread-safe.
class Seen {
public:
    void add(std::string text) {
        const std::lock_guard lock{mutex_};
        texts_.push_back(std::move(text));
    }
    std::vector<std::string> all() const {
        const std::lock_guard lock{mutex_};
        return texts_;
    }
    std::size_t count() const { return all().size(); }
    bool wait_for(std::size_t count) const {
        return eventually([&] { return this->count() >= count; });
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

}  // namespace freshet::testing
