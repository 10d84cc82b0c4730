// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/detail/core.hpp>

namespace freshet::detail {

/// What was made of a broker to send messages, for descriptions. Thread-safe.
class Declarations {
public:
    struct One {
        std::string subject;
        const OutgoingShape* shape;
        std::optional<Format> format;  // of the body; empty: the broker's
        About about;

        friend bool operator==(const One&, const One&) = default;
    };

    /// Notes a declaration, unless there is an equal one or there are too many: a program that makes publishers of
    /// subjects that it learns at run time must not grow by that.
    void add(One one);
    /// Gives the declarations of a subject that have the shape `before` the shape `now`.
    void change(std::string_view subject, const OutgoingShape& before, const OutgoingShape& now);
    std::vector<One> all() const;

private:
    static constexpr std::size_t most = 512;

    mutable std::mutex mutex_ = {};
    std::vector<One> all_ = {};
};

}  // namespace freshet::detail
