// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <freshet/context.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::detail {

class Link;

/// Returns the error of a delivery that failed: `handled.failure`, else one that stands for its outcome.
Error failure_of(const Handled& handled);

/// Returns the code that a caller gets for `failure`, an HTTP status by habit (ADR-32 leaves codes to the service): its
/// own, else the one that fits what happened.
int code_of(const Error& failure, bool rejected) noexcept;

/// Returns what a caller may know of the error of a delivery, without a correlation id.
std::string public_text(const Link& link, const Error& failure, const Handled& handled, int code);

/// Sends the error of a delivery to the caller that asked: its code; a line that was written for callers, else one that
/// names the correlation id, under which the log has more; and the body that the error carries.
Expected<void> answer_failure(Link& link, Context& context, const Error& failure, const Handled& handled, int code);

/// Adds to the number of errors with `code`. The list stays in the order of the codes, and takes 64 of them, since a
/// handler may fail with any number of codes.
void count_error(std::vector<ErrorCount>& counts, int code, std::uint64_t more = 1);

/// Numbers of errors, by code. Thread-safe.
class ErrorCounts {
public:
    void add(int code) {
        const std::lock_guard lock{mutex_};
        count_error(counts_, code);
    }
    std::vector<ErrorCount> list() const {
        const std::lock_guard lock{mutex_};
        return counts_;
    }

private:
    mutable std::mutex mutex_ = {};
    std::vector<ErrorCount> counts_ = {};
};

}  // namespace freshet::detail
