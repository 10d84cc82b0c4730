// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/error.hpp>

namespace freshet::detail {

/// Thrown when it is not known whether a description is stored. Its chunks must stay.
class InDoubt final : public Error {
public:
    using Error::Error;
};

}  // namespace freshet::detail
