// SPDX-License-Identifier: Apache-2.0
// The compression module of the package: it links, with the libraries that it brings.
#include <freshet/freshet.hpp>
#include <freshet/middleware/compression.hpp>

int main() {
    freshet::Broker broker;
    const freshet::Compression compression;
    broker.use(compression).use_publish(compression);
    for (const char* encoding : {"zstd", "gzip"}) {
        const auto read = compression.decompress(freshet::Message::make("x", freshet::as_bytes("?"),
                                                                        {{"content-encoding", encoding}}));
        if (read || read.error().code() != freshet::Errc::bad_payload) return 1;
    }
    return 0;
}
