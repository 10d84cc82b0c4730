// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/buffer.hpp>

namespace freshet::detail {

/// Borrows a buffer of this thread. The buffer is empty and keeps its capacity between uses. Leases nest.
class BufferLease {
public:
    BufferLease();
    BufferLease(const BufferLease&) = delete;
    BufferLease& operator=(const BufferLease&) = delete;
    ~BufferLease();

    Buffer& operator*() const noexcept { return *buffer_; }
    Buffer* operator->() const noexcept { return buffer_; }

private:
    Buffer* buffer_;
};

}  // namespace freshet::detail
