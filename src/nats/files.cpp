// SPDX-License-Identifier: Apache-2.0
#include "nats/files.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "base/without_secrets.hpp"

namespace freshet::detail::nats {

Expected<std::string> read_file(const std::string& path, std::string_view what) {
    std::error_code ignored;
    const bool directory = std::filesystem::is_directory(path, ignored);  // a stream would open it and throw later
    errno = 0;
    std::ifstream in{path, std::ios::binary};
    if (in.is_open() && !directory) return std::string{std::istreambuf_iterator<char>{in}, {}};
    const auto why = std::generic_category().message(directory ? EISDIR : errno);
    return failure(Errc::bad_setup, fmt::format("cannot read the {} {}: {}", what, quoted(without_secrets(path)), why));
}

}  // namespace freshet::detail::nats
