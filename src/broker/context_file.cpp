// SPDX-License-Identifier: Apache-2.0
// Contexts of the `nats` CLI (ADR-21): one JSON file each, and a file that holds the selected one's name.
#include "broker/context_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <variant>

#include <fmt/core.h>

#include "base/flat_json.hpp"
#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "base/without_secrets.hpp"

namespace freshet {
namespace {

namespace fs = std::filesystem;
using detail::FlatJson;
using detail::variable;

/// Returns the name or path in quotes; somebody may have put a secret in its place.
std::string shown(std::string_view text) { return detail::quoted(detail::without_secrets(text)); }

std::string reason() { return std::generic_category().message(errno); }

fs::path configuration_directory() {
    if (const auto xdg = variable("XDG_CONFIG_HOME"); !xdg.empty()) return fs::path{xdg} / "nats";
    if (const auto home = variable("HOME"); !home.empty()) return fs::path{home} / ".config" / "nats";
    raise({Errc::bad_setup, "cannot look for NATS contexts: neither XDG_CONFIG_HOME nor HOME is set; set one of them"});
}

std::string read_all(std::istream& file) { return {std::istreambuf_iterator<char>{file}, {}}; }

std::string selected_context() {
    const auto path = configuration_directory() / "context.txt";
    std::ifstream file{path};
    auto name = file ? read_all(file) : std::string{};
    while (!name.empty() && static_cast<unsigned char>(name.back()) <= ' ') name.pop_back();
    if (!name.empty()) return name;
    raise({Errc::not_found,
           fmt::format("no NATS context is selected: {} is missing or empty; name one, or run `nats context select`",
                       shown(path.string()))});
}

/// Reads the fields of one context file, and throws errors that name it.
class ContextFile {
public:
    explicit ContextFile(const std::string& name) : path_{path_of(name)} {
        std::ifstream file{path_};
        if (!file) {
            raise({Errc::not_found, fmt::format("there is no NATS context {}: cannot read {}: {}", shown(name),
                                                shown(path_.string()), reason())});
        }
        fields_ = FlatJson::read(read_all(file));
        if (const auto byte = fields_.bad_byte())
            fail(fmt::format("is not JSON (byte {})", *byte));  // the parser's own text could show a password
        if (!fields_.is_object()) fail("is not a JSON object");
    }

    std::string text(const char* field) const {
        const auto* const found = fields_.find(field);
        if (found == nullptr || std::holds_alternative<std::nullptr_t>(*found)) return {};
        const auto* const text = std::get_if<std::string>(found);
        if (text == nullptr) fail(fmt::format("has a field \"{}\" that is not text", field));
        return *text;
    }

    /// Returns a field's text. Refuses a reference, which newer CLIs look up elsewhere.
    std::string secret(const char* field) const {
        auto value = text(field);
        for (const std::string_view scheme : {"op://", "nsc://", "env://", "data:"})
            if (value.starts_with(scheme))
                fail(fmt::format(
                    "refers to {}... in \"{}\", which freshet does not look up; write the value or a file's path",
                    scheme, field));
        return value;
    }

    /// Returns a field with the path of a file that can be read; empty if the field is not set.
    std::string file(const char* field) const {
        auto path = secret(field);
        if (path.starts_with("file://")) path.erase(0, std::string_view{"file://"}.size());
        if (path == "~" || path.starts_with("~/")) path.replace(0, 1, variable("HOME"));
        detail::check_readable(fmt::format("\"{}\" of the NATS context file {}", field, shown(path_.string())), path);
        return path;
    }

    bool flag(const char* field) const {
        const auto* const found = fields_.find(field);
        if (found == nullptr || std::holds_alternative<std::nullptr_t>(*found)) return false;
        const auto* const flag = std::get_if<bool>(found);
        if (flag == nullptr) fail(fmt::format("has a field \"{}\" that is neither true nor false", field));
        return *flag;
    }

    /// Leaving such a field out of account would connect to another place, or as somebody else.
    void refuse(const char* field) const {
        const auto* const found = fields_.find(field);
        if (found == nullptr || std::holds_alternative<std::nullptr_t>(*found)) return;
        const auto* const text = std::get_if<std::string>(found);
        const auto* const other = std::get_if<FlatJson::Other>(found);
        if (text != nullptr ? !text->empty() : other == nullptr || !other->is_empty)
            fail(fmt::format("has \"{}\", which freshet does not support; remove it, or use another context", field));
    }

    [[noreturn]] void fail(const std::string& what) const { raise({Errc::bad_setup, described() + ' ' + what}); }

    std::string described() const { return "the NATS context file " + shown(path_.string()); }

private:
    static fs::path path_of(const std::string& name) {
        if (name.find('/') != std::string::npos || name.find("..") != std::string::npos)
            raise({Errc::bad_setup,
                   fmt::format("{} is not the name of a NATS context: a name has no '/' and no '..'", shown(name))});
        return configuration_directory() / "context" / (name + ".json");
    }

    fs::path path_;
    FlatJson fields_ = {};
};

Credentials credentials_of(const ContextFile& context) {
    std::vector<detail::NamedCredentials> given;
    const auto user = context.secret("user");
    const auto jwt = context.secret("user_jwt");
    const auto seed = context.secret("user_seed");
    if (!user.empty()) given.push_back({"user", UserPassword{user, context.secret("password")}});
    if (const auto token = context.secret("token"); !token.empty()) given.push_back({"token", Token{token}});
    if (const auto creds = context.file("creds"); !creds.empty()) given.push_back({"creds", CredsFile{creds}});
    if (const auto nkey = context.file("nkey"); !nkey.empty()) given.push_back({"nkey", NkeyFile{nkey}});
    if (!jwt.empty()) given.push_back({"user_jwt", JwtAndSeed{jwt, seed}});
    if (jwt.empty() != seed.empty())
        context.fail("has only one of \"user_jwt\" and \"user_seed\"; a connection needs both, or \"creds\"");
    return detail::the_only(given, context.described() + ": ");
}

}  // namespace

namespace detail {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::vector<std::string> split_servers(std::string_view list) {
    constexpr std::string_view spaces = " \t\r\n";
    std::vector<std::string> servers;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto one = detail::without_blanks(list.substr(0, comma), spaces);
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (!one.empty()) servers.emplace_back(one);
    }
    return servers;
}

void check_readable(std::string_view setting, const std::string& path) {
    if (path.empty()) return;
    if (without_secrets(path) != path)
        raise({Errc::bad_setup,
               fmt::format("{} holds a seed, a JWT or a URL where the path of a file is meant; write the secret into a "
                           "file, and give its path",
                           setting)});
    std::error_code none;
    const bool directory = fs::is_directory(path, none);
    if (!directory && std::ifstream{path}) return;
    raise({Errc::bad_setup, fmt::format("{} names the file \"{}\", which cannot be read: {}", setting, path,
                                        directory ? "it is a directory" : reason())});
}

Credentials the_only(const std::vector<NamedCredentials>& given, std::string_view where) {
    if (given.size() > 1)
        raise({Errc::bad_setup,
               fmt::format("{}{} and {} are both set; unset one", where, given[0].name, given[1].name)});
    return given.empty() ? Credentials{} : given.front().credentials;
}

}  // namespace detail

BrokerOptions BrokerOptions::from_context(const std::string& name) {
    const ContextFile context{name.empty() ? selected_context() : name};
    for (const char* field : {"nsc", "socks_proxy", "windows_cert_store", "windows_cert_match", "windows_cert_match_by",
                              "windows_ca_certs_match"})
        context.refuse(field);
    BrokerOptions options;
    options.servers = detail::split_servers(context.text("url"));
    options.credentials = credentials_of(context);
    options.tls.ca_file = context.file("ca");
    options.tls.certificate = context.file("cert");
    options.tls.private_key = context.file("key");
    options.tls.handshake_first = context.flag("tls_first");
    if (options.tls.certificate.empty() != options.tls.private_key.empty())
        context.fail("has only one of \"cert\" and \"key\"; set both or none");
    if (const auto prefix = context.text("inbox_prefix"); !prefix.empty()) options.inbox_prefix = prefix;
    return options;
}

}  // namespace freshet
