// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace freshet::testing {

/// PEM files for TLS tests, made by the openssl program at the first use and kept in the working directory.
/// The server's certificate is for `localhost` and 127.0.0.1.
struct Certificates {
    std::string ca;
    std::string other_ca;  ///< signed none of the others
    std::string server;
    std::string server_key;
    std::string client;
    std::string client_key;
    std::string expired;  ///< of a server, and expired
    std::string expired_key;
};

/// Throws std::runtime_error with openssl's words.
const Certificates& certificates();

}  // namespace freshet::testing
