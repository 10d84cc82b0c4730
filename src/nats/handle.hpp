// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/native.hpp>

namespace freshet::detail::nats {

using namespace freshet::native;

/// Lets a C function that returns an object through `T**` fill a Handle: `natsOptions_Create(out(handle))`.
template <class H>
class Out {
public:
    explicit Out(H& handle) noexcept : handle_{handle} {}
    Out(const Out&) = delete;
    Out& operator=(const Out&) = delete;
    ~Out() {
        if (raw_ != nullptr) handle_.reset(raw_);
    }

    operator typename H::pointer *() noexcept { return &raw_; }

private:
    H& handle_;
    typename H::pointer raw_ = nullptr;
};

/// Use the result only as an argument: the handle is filled at the end of the full expression.
template <class H>
Out<H> out(H& handle) noexcept {
    return Out<H>{handle};
}

}  // namespace freshet::detail::nats
