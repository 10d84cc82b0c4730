// SPDX-License-Identifier: Apache-2.0
#include "certificates.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

namespace freshet::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* script = R"(set -e
key() { openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"; }
authority() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.pem"; }
signed() {
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$2" "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "$4" -days 3650 -extfile "$1.ext" -out "$1.pem"
}
expired() {
    key expired
    openssl req -new -key expired.key -subj "/CN=expired" -out expired.csr
    printf '[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n' >ca.cnf
    printf 'default_md=sha256\npolicy=names\n[names]\ncommonName=supplied\n' >>ca.cnf
    : >index
    echo 03 >serial
    openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -startdate 20200101000000Z \
        -enddate 20200102000000Z -extfile server.ext -in expired.csr -out expired.pem
}
authority ca
authority other
signed server DNS:localhost,IP:127.0.0.1 serverAuth 1
signed client DNS:client clientAuth 2
expired
)";

void run_script(const fs::path& directory) {
    std::ofstream{directory / "make.sh"} << script;
    const auto command = "cd '" + directory.string() + "' && sh make.sh >log 2>&1";
    if (std::system(command.c_str()) == 0) return;
    std::ifstream log{directory / "log"};
    throw std::runtime_error{"openssl cannot make certificates:\n" +
                             std::string{std::istreambuf_iterator<char>{log}, {}}};
}

/// Several test programs may do so at once: each makes its own, and the first to be ready wins.
fs::path make() {
    const auto directory = fs::absolute("certificates-for-tests");
    if (fs::exists(directory)) return directory;
    auto part = directory.string() + ".XXXXXX";
    if (::mkdtemp(part.data()) == nullptr)
        throw std::system_error{errno, std::generic_category(), "cannot make " + part};
    run_script(part);
    std::error_code taken;
    fs::rename(part, directory, taken);
    if (taken) fs::remove_all(part);
    return directory;
}

}  // namespace

const Certificates& certificates() {
    static const auto directory = make();
    static const auto file = [](const char* name) { return (directory / name).string(); };
    static const Certificates all{.ca = file("ca.pem"),
                                  .other_ca = file("other.pem"),
                                  .server = file("server.pem"),
                                  .server_key = file("server.key"),
                                  .client = file("client.pem"),
                                  .client_key = file("client.key"),
                                  .expired = file("expired.pem"),
                                  .expired_key = file("expired.key")};
    return all;
}

}  // namespace freshet::testing
