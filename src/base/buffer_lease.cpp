// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/buffer_lease.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace freshet::detail {
namespace {

/// The largest capacity that a buffer keeps when its lease ends, so that one large message does not occupy memory for
/// ever.
constexpr std::size_t kept_capacity = std::size_t{1} << 20;

struct BufferStack {
    ~BufferStack();

    std::vector<std::unique_ptr<Buffer>> buffers = {};  // leases hold pointers to them
    std::size_t used = 0;
};

constinit thread_local BufferStack* stack = nullptr;  // a plain pointer needs no guard at each use

constinit thread_local bool ended = false;

BufferStack::~BufferStack() {
    stack = nullptr;
    ended = true;
}

BufferStack& make_stack() {
    // Statics go after what is the main thread's, and may publish: their buffers stay.
    if (ended) return *(stack = new BufferStack);
    static thread_local BufferStack owned;
    stack = &owned;
    return owned;
}

}  // namespace

BufferLease::BufferLease() {
    auto& all = stack != nullptr ? *stack : make_stack();
    if (all.used == all.buffers.size()) all.buffers.push_back(std::make_unique<Buffer>());
    buffer_ = all.buffers[all.used++].get();
    buffer_->clear();
}

BufferLease::~BufferLease() {
    --stack->used;
    if (buffer_->string().capacity() > kept_capacity) buffer_->string() = std::string{};
}

}  // namespace freshet::detail
