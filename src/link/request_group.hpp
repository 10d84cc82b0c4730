// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "link/request_mux.hpp"

namespace freshet::detail {

/// The blocking requests that one thread sends, one after the other, and that another thread may end. Thread-safe.
class RequestGroup {
public:
    /// Marks, while it lives, that the requests of this thread belong to the group.
    class Scope {
    public:
        explicit Scope(RequestGroup& group) noexcept : outer_{std::exchange(current_, &group)} {}
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope() { current_ = outer_; }

        /// Returns the group of this thread; null: none.
        static RequestGroup* current() noexcept { return current_; }

    private:
        static inline thread_local RequestGroup* current_ = nullptr;
        RequestGroup* outer_;
    };

    /// Ends the request in flight with Errc::closed, and each later one.
    void cancel() noexcept;

    /// Notes the request that the thread waits for from now on; ends it after cancel().
    void begin(RequestMux& mux, const RequestMux::Ticket& ticket) noexcept;
    /// Notes that the thread waits no more. Afterwards cancel() does not use the mux.
    void end() noexcept;

private:
    struct Flight {
        RequestMux& mux;
        RequestMux::Ticket ticket;
    };

    std::mutex mutex_ = {};
    std::optional<Flight> flight_ = {};
    bool cancelled_ = false;
};

}  // namespace freshet::detail
