// SPDX-License-Identifier: Apache-2.0
#include "base/exception_text.hpp"

#include <exception>
#include <new>
#include <system_error>
#include <typeinfo>

#include <cxxabi.h>

#include "base/error_state.hpp"

namespace freshet::detail {
namespace {

// Made before anybody can need it, since there is no memory for it then; never destroyed, since a static broker may go
// later.
const Error& out_of_memory =
    *new Error{ErrorAccess::make(std::make_error_code(std::errc::not_enough_memory),
                                 {.message = "out of memory", .thrown = &typeid(std::bad_alloc)})};

Error error_of_exception() {
    const std::type_info* const thrown = abi::__cxa_current_exception_type();
    try {
        throw;
    } catch (const Error& error) { return error; } catch (const std::bad_alloc&) {
        return out_of_memory;
    } catch (const std::system_error& error) {
        return ErrorAccess::make(error.code(), {.message = error.what(), .thrown = thrown});
    } catch (...) { return ErrorAccess::make(Errc::bad_setup, {.message = exception_text(), .thrown = thrown}); }
}

}  // namespace

std::string exception_text() {
    try {
        throw;
    } catch (const std::exception& error) { return error.what(); } catch (...) {
        return "an exception that is not a std::exception";
    }
}

Error exception_error() noexcept {
    try {
        return error_of_exception();
    } catch (...) { return out_of_memory; }
}

}  // namespace freshet::detail
