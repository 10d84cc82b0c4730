// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace freshet::testing {

using Lines = std::vector<std::string>;

/// What happened, in order. Thread-safe.
class Diary {
public:
    void write(std::string line) {
        const std::lock_guard lock{mutex_};
        lines_.push_back(std::move(line));
    }
    Lines take() {
        const std::lock_guard lock{mutex_};
        return std::exchange(lines_, {});
    }

private:
    std::mutex mutex_ = {};
    Lines lines_ = {};
};

}  // namespace freshet::testing
