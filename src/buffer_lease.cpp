// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <deque>

#include <freshet/detail/handler.hpp>

namespace freshet::detail {
namespace {

/// A buffer that grew beyond this is given back when its lease ends, so that one large message does not stay for ever.
constexpr std::size_t kept_capacity = std::size_t{1} << 20;

struct BufferStack {
    std::deque<Buffer> buffers = {};  // leases hold pointers: a deque does not move its elements
    std::size_t used = 0;
};

thread_local BufferStack stack;

}  // namespace

BufferLease::BufferLease() {
    if (stack.used == stack.buffers.size()) stack.buffers.emplace_back();
    buffer_ = &stack.buffers[stack.used++];
    buffer_->clear();
}

BufferLease::~BufferLease() {
    --stack.used;
    if (buffer_->string().capacity() > kept_capacity) buffer_->string() = std::string{};
}

}  // namespace freshet::detail
