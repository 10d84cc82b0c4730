// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nats/nats.h>

#include <freshet/options.hpp>

namespace freshet::detail::nats {

/// Puts the TLS settings into cnats's options. Reads the files that they name, and calls TlsOptions::passphrase for an
/// encrypted key. Throws Error(Errc::bad_setup), which names the field and shows no secret.
void set_tls(natsOptions* native, const TlsOptions& tls);

/// Returns whether TlsOptions::private_key is a file that holds an encrypted key. False if it cannot be read.
bool has_encrypted_key(const TlsOptions& tls);

}  // namespace freshet::detail::nats
