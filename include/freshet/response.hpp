// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include <freshet/codec_format.hpp>
#include <freshet/headers.hpp>

namespace freshet {

/// A body with headers, as a handler's result: it is answered and published like a plain body.
template <class T = void>
struct Response {
    T body = {};
    Headers headers = {};
    std::optional<Format> format = {};  ///< format of a typed body; default: the request's, else the broker's
};

template <class T>
Response(T) -> Response<T>;
template <class T>
Response(T, Headers) -> Response<T>;

/// An answer without a body, for handlers that only confirm: `return Response<>{};`.
template <>
struct Response<void> {
    Headers headers = {};
};

}  // namespace freshet
