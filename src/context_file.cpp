// SPDX-License-Identifier: Apache-2.0
// Contexts of the `nats` CLI (ADR-21): one JSON file each, and a file that holds the selected one's name.
#include "context_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "quoted.hpp"

namespace freshet {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

fs::path configuration_directory() {
    if (const auto xdg = variable("XDG_CONFIG_HOME"); !xdg.empty()) return fs::path{xdg} / "nats";
    return fs::path{variable("HOME")} / ".config" / "nats";
}

std::string read_file(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) raise({Errc::not_found, fmt::format("cannot read the NATS context file {}", detail::quoted(path.string()))});
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string selected_context() {
    const auto path = configuration_directory() / "context.txt";
    auto name = read_file(path);
    while (!name.empty() && static_cast<unsigned char>(name.back()) <= ' ') name.pop_back();
    if (name.empty()) raise({Errc::not_found, fmt::format("no NATS context is selected in {}", detail::quoted(path.string()))});
    return name;
}

/// One context file: its fields as text, and errors that name it.
class ContextFile {
public:
    explicit ContextFile(const std::string& name) : path_{configuration_directory() / "context" / (name + ".json")} {
        if (name.find('/') != std::string::npos || name.starts_with('.'))
            raise({Errc::bad_setup, fmt::format("{} is not the name of a NATS context", detail::quoted(name))});
        fields_ = nlohmann::json::parse(read_file(path_), nullptr, false);
        if (!fields_.is_object()) fail("is not a JSON object");
    }

    std::string text(const char* field) const {
        const auto found = fields_.find(field);
        if (found == fields_.end() || found->is_null()) return {};
        if (!found->is_string()) fail(fmt::format("has a field \"{}\" that is not text", field));
        return found->get<std::string>();
    }

    bool flag(const char* field) const {
        const auto found = fields_.find(field);
        return found != fields_.end() && found->is_boolean() && found->get<bool>();
    }

    [[noreturn]] void fail(const std::string& what) const {
        raise({Errc::bad_setup, fmt::format("the NATS context file {} {}", detail::quoted(path_.string()), what)});
    }

private:
    fs::path path_;
    nlohmann::json fields_;
};

Credentials credentials_of(const ContextFile& file) {
    std::vector<std::pair<const char*, Credentials>> given;
    if (const auto creds = file.text("creds"); !creds.empty()) given.emplace_back("creds", CredsFile{creds});
    if (const auto nkey = file.text("nkey"); !nkey.empty()) given.emplace_back("nkey", NkeyFile{nkey});
    if (const auto token = file.text("token"); !token.empty()) given.emplace_back("token", Token{token});
    if (const auto user = file.text("user"); !user.empty())
        given.emplace_back("user", UserPassword{user, file.text("password")});
    if (given.size() > 1) file.fail(fmt::format("has both \"{}\" and \"{}\"; keep one", given[0].first, given[1].first));
    return given.empty() ? Credentials{} : given.front().second;
}

}  // namespace

namespace detail {

std::vector<std::string> split_servers(std::string_view list) {
    constexpr std::string_view spaces = " \t\r\n";
    std::vector<std::string> servers;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        auto one = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        one.remove_prefix(std::min(one.find_first_not_of(spaces), one.size()));
        one = one.substr(0, one.find_last_not_of(spaces) + 1);
        if (!one.empty()) servers.emplace_back(one);
    }
    return servers;
}

void check_readable(std::string_view setting, const std::string& path) {
    if (path.empty() || std::ifstream{path}) return;
    raise({Errc::bad_setup, fmt::format("{} names the file {}, which cannot be read", setting, detail::quoted(path))});
}

}  // namespace detail

BrokerOptions BrokerOptions::from_context(const std::string& name) {
    const ContextFile file{name.empty() ? selected_context() : name};
    for (const char* unsupported : {"nsc", "socks_proxy", "user_jwt", "user_seed"})
        if (!file.text(unsupported).empty()) file.fail(fmt::format("has \"{}\", which freshet cannot honour; use \"creds\"", unsupported));
    BrokerOptions options;
    options.servers = detail::split_servers(file.text("url"));
    options.credentials = credentials_of(file);
    options.tls.ca_file = file.text("ca");
    options.tls.certificate = file.text("cert");
    options.tls.private_key = file.text("key");
    options.tls.handshake_first = file.flag("tls_first");
    if (const auto prefix = file.text("inbox_prefix"); !prefix.empty()) options.inbox_prefix = prefix;
    return options;
}

}  // namespace freshet
