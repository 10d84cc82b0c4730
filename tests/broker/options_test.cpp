// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <unistd.h>

#include <freshet/options.hpp>

#include "broker/options.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using detail::resolve;

namespace fs = std::filesystem;

namespace {

/// An empty home directory and an environment without any setting of ours; both are put back.
class Home {
public:
    Home() {
        std::string name = (fs::temp_directory_path() / "freshet-options-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary directory"};
        path_ = name;
        for (const char* variable :
             {"NATS_URL", "NATS_CREDS", "NATS_NKEY", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_CA", "NATS_CERT",
              "NATS_KEY", "NATS_INBOX_PREFIX", "NATS_CONTEXT", "XDG_CONFIG_HOME"})
            set(variable, nullptr);
        set("HOME", path_.c_str());
    }
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;
    ~Home() {
        for (const auto& [name, value] : before_) put(name.c_str(), value ? value->c_str() : nullptr);
        fs::remove_all(path_);
    }

    void set(const char* name, const char* value) {
        const char* const old = std::getenv(name);
        before_.try_emplace(name, old != nullptr ? std::optional<std::string>{old} : std::nullopt);
        put(name, value);
    }
    void set(const char* name, const std::string& value) { set(name, value.c_str()); }

    std::string file(const std::string& name, const std::string& content = "x") const {
        const auto path = path_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream{path} << content;
        return path.string();
    }
    std::string context(const std::string& name, const std::string& json) const {
        return file(".config/nats/context/" + name + ".json", json);
    }
    std::string path() const { return path_.string(); }

private:
    static void put(const char* name, const char* value) {
        if (value != nullptr) ::setenv(name, value, 1);
        else ::unsetenv(name);
    }

    fs::path path_;
    std::map<std::string, std::optional<std::string>> before_;
};

template <class Call>
Error error_of(Call&& call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    FAIL("nothing was thrown");
    return {Errc::bad_setup, ""};
}

std::string what_environment_says() {
    const auto error = error_of([] { BrokerOptions::from_environment(); });
    CHECK(error.code() == Condition::bad_setup);
    return error.what();
}

using Servers = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty environment gives the defaults") {
    const Home home;
    const auto options = BrokerOptions::from_environment();
    CHECK(options.servers.empty());
    CHECK(std::holds_alternative<std::monostate>(options.credentials));
    CHECK(options.inbox_prefix == "_INBOX");
    CHECK(resolve({}).servers == Servers{"nats://localhost:4222"});
}

TEST_CASE("NATS_URL is a comma separated list") {
    Home home;
    home.set("NATS_URL", " nats://a:4222, tls://b ,,\tc:1 ");
    CHECK(BrokerOptions::from_environment().servers == Servers{"nats://a:4222", "tls://b", "c:1"});
    home.set("NATS_URL", " , ");
    CHECK(resolve({}).servers == Servers{"nats://localhost:4222"});
}

TEST_CASE("each kind of credentials comes from its variable") {
    Home home;
    auto credentials = [] { return BrokerOptions::from_environment().credentials; };

    home.set("NATS_USER", "alice");
    home.set("NATS_PASSWORD", "secret");
    REQUIRE(std::holds_alternative<UserPassword>(credentials()));
    CHECK(std::get<UserPassword>(credentials()).user == "alice");
    CHECK(std::get<UserPassword>(credentials()).password == "secret");
    home.set("NATS_USER", nullptr);
    home.set("NATS_PASSWORD", "");  // set, but empty: as if it were not

    home.set("NATS_TOKEN", "t0ken");
    CHECK(std::get<Token>(credentials()).token == "t0ken");
    home.set("NATS_TOKEN", nullptr);

    home.set("NATS_CREDS", home.file("user.creds"));
    CHECK(std::get<CredsFile>(credentials()).path == home.path() + "/user.creds");
    home.set("NATS_CREDS", nullptr);

    home.set("NATS_NKEY", home.file("user.nk"));
    CHECK(std::get<NkeyFile>(credentials()).path == home.path() + "/user.nk");
}

TEST_CASE("variables that contradict each other are both named") {
    Home home;
    home.set("NATS_USER", "alice");
    home.set("NATS_TOKEN", "t0ken");
    CHECK(what_environment_says() == "NATS_TOKEN and NATS_USER are both set; unset one");
    home.set("NATS_USER", nullptr);
    home.set("NATS_CREDS", home.file("user.creds"));
    CHECK(what_environment_says() == "NATS_CREDS and NATS_TOKEN are both set; unset one");
    home.set("NATS_CREDS", nullptr);
    home.set("NATS_TOKEN", nullptr);
    home.set("NATS_PASSWORD", "secret");
    CHECK(what_environment_says() == "NATS_PASSWORD is set without NATS_USER; set both");
    home.set("NATS_PASSWORD", nullptr);
    home.set("NATS_CERT", home.file("cert.pem"));
    CHECK(what_environment_says() == "only one of NATS_CERT and NATS_KEY is set; set both or none");
}

TEST_CASE("a file that cannot be read is named, with its variable and the reason") {
    Home home;
    for (const char* variable : {"NATS_CREDS", "NATS_NKEY", "NATS_CA", "NATS_CERT", "NATS_KEY"}) {
        home.set(variable, "/nowhere/at all");
        CHECK(what_environment_says() ==
              std::string{variable} +
                  " names the file \"/nowhere/at all\", which cannot be read: No such file or directory");
        home.set(variable, home.path());
        CHECK_THAT(what_environment_says(), ContainsSubstring("which cannot be read: it is a directory"));
        home.set(variable, nullptr);
    }
}

TEST_CASE("a secret where the path of a file is meant is not shown") {
    Home home;
    const std::string seed = "SUADPW5X7HNFSYQ436B52733JYJ3QU5NRB6N53F5VI5SAQALNXYIPOOTZE";
    home.set("NATS_NKEY", seed);
    CHECK_THAT(what_environment_says(), ContainsSubstring("NATS_NKEY holds a seed") && !ContainsSubstring(seed));
}

TEST_CASE("TLS files and the inbox prefix come from the environment") {
    Home home;
    home.set("NATS_CA", home.file("ca.pem"));
    home.set("NATS_CERT", home.file("cert.pem"));
    home.set("NATS_KEY", home.file("key.pem"));
    home.set("NATS_INBOX_PREFIX", "_INBOX_alice");
    const auto options = BrokerOptions::from_environment();
    CHECK(options.tls.ca_file == home.path() + "/ca.pem");
    CHECK(options.tls.certificate == home.path() + "/cert.pem");
    CHECK(options.tls.private_key == home.path() + "/key.pem");
    CHECK(options.inbox_prefix == "_INBOX_alice");
    CHECK_FALSE(options.tls.enabled);
}

TEST_CASE("a context gives what the nats CLI would use, and fields it does not know are left alone") {
    const Home home;
    home.context("prod", R"({
        "description": "production", "url": "nats://a:4222,tls://b:4222", "user": "alice", "password": "secret", "token": "",
        "creds": "", "nkey": null, "cert": ")" +
                             home.file("cert.pem") + R"(", "key": ")" + home.file("key.pem") + R"(",
        "ca": ")" + home.file("ca.pem") +
                             R"(", "nsc": "", "socks_proxy": "", "inbox_prefix": "_INBOX_p", "tls_first": true,
        "windows_ca_certs_match": [], "color_scheme": "red", "from the future": {"x": [1]}})");
    const auto options = BrokerOptions::from_context("prod");
    CHECK(options.servers == Servers{"nats://a:4222", "tls://b:4222"});
    CHECK(std::get<UserPassword>(options.credentials).user == "alice");
    CHECK(std::get<UserPassword>(options.credentials).password == "secret");
    CHECK(options.tls.certificate == home.path() + "/cert.pem");
    CHECK(options.tls.private_key == home.path() + "/key.pem");
    CHECK(options.tls.ca_file == home.path() + "/ca.pem");
    CHECK(options.tls.handshake_first);
    CHECK(options.inbox_prefix == "_INBOX_p");

    home.context("empty", "{}");
    const auto defaults = BrokerOptions::from_context("empty");
    CHECK(defaults.servers.empty());
    CHECK(defaults.inbox_prefix == "_INBOX");
    CHECK(std::holds_alternative<std::monostate>(defaults.credentials));
}

TEST_CASE("a context's token, creds, nkey, and JWT with seed") {
    const Home home;
    auto credentials = [&](const std::string& json) {
        home.context("c", json);
        return BrokerOptions::from_context("c").credentials;
    };
    CHECK(std::get<Token>(credentials(R"({"token": "t"})")).token == "t");
    home.file("keys/user.creds");
    CHECK(std::get<CredsFile>(credentials(R"({"creds": "~/keys/user.creds"})")).path ==
          home.path() + "/keys/user.creds");
    CHECK(std::get<CredsFile>(credentials(R"({"creds": "file://)" + home.path() + R"(/keys/user.creds"})")).path ==
          home.path() + "/keys/user.creds");
    CHECK(std::get<NkeyFile>(credentials(R"({"nkey": ")" + home.file("user.nk") + R"("})")).path ==
          home.path() + "/user.nk");
    const auto both = std::get<JwtAndSeed>(credentials(R"({"user_jwt": "eyJ0", "user_seed": "SUAB"})"));
    CHECK(both.jwt == "eyJ0");
    CHECK(both.seed == "SUAB");
}

TEST_CASE("without a name it is the selected context, in XDG_CONFIG_HOME where that is set") {
    Home home;
    home.context("one", R"({"url": "nats://one"})");
    home.file(".config/nats/context.txt", "one\n");
    CHECK(BrokerOptions::from_context().servers == Servers{"nats://one"});

    home.file("xdg/nats/context/two.json", R"({"url": "nats://two"})");
    home.file("xdg/nats/context.txt", "two");
    home.set("XDG_CONFIG_HOME", home.path() + "/xdg");
    CHECK(BrokerOptions::from_context().servers == Servers{"nats://two"});
    CHECK(error_of([] { BrokerOptions::from_context("one"); }).code() == Condition::not_found);
}

TEST_CASE("a context that is not there is not found, and the message says where it was looked for") {
    Home home;
    const auto unknown = error_of([] { BrokerOptions::from_context("prod"); });
    CHECK(unknown.code() == Condition::not_found);
    CHECK(unknown.message() == "there is no NATS context \"prod\": cannot read \"" + home.path() +
                                   "/.config/nats/context/prod.json\": No such file or directory");

    const auto none_selected = error_of([] { BrokerOptions::from_context(); });
    CHECK(none_selected.code() == Condition::not_found);
    CHECK_THAT(none_selected.what(), ContainsSubstring(home.path() + "/.config/nats/context.txt"));
    home.file(".config/nats/context.txt", " \n");
    CHECK(error_of([] { BrokerOptions::from_context(); }).code() == Condition::not_found);

    home.file(".config/nats/secret.json", "{}");
    for (const char* name : {"../secret", "a/b", ".."})
        CHECK(error_of([&] { BrokerOptions::from_context(name); }).code() == Condition::bad_setup);

    home.set("HOME", nullptr);
    CHECK_THAT(error_of([] { BrokerOptions::from_context("prod"); }).what(),
               ContainsSubstring("neither XDG_CONFIG_HOME nor HOME is set"));
}

TEST_CASE("what is wrong in a context file is said with the file and the field") {
    const Home home;
    auto complaint = [&](const std::string& json) {
        const auto path = home.context("bad", json);
        const auto error = error_of([] { BrokerOptions::from_context("bad"); });
        CHECK(error.code() == Condition::bad_setup);
        CHECK_THAT(error.what(), ContainsSubstring(path));
        return std::string{error.message()};
    };
    CHECK_THAT(complaint(R"({"token": "hunter2" "url": ""})"), ContainsSubstring("is not JSON (byte "));
    CHECK_THAT(complaint(R"({"token": "hunter2)"), !ContainsSubstring("hunter2"));
    CHECK_THAT(complaint("[]"), ContainsSubstring("is not a JSON object"));
    CHECK_THAT(complaint(R"({"url": 4222})"), ContainsSubstring("has a field \"url\" that is not text"));
    CHECK_THAT(complaint(R"({"tls_first": "yes"})"), ContainsSubstring("\"tls_first\" that is neither true nor false"));
    CHECK_THAT(complaint(R"({"nsc": "nsc://operator/account"})"),
               ContainsSubstring("has \"nsc\", which freshet does not support"));
    CHECK_THAT(complaint(R"({"socks_proxy": "socks5://x"})"), ContainsSubstring("has \"socks_proxy\""));
    CHECK_THAT(complaint(R"({"windows_cert_store": "windowscurrentuser"})"),
               ContainsSubstring("has \"windows_cert_store\""));
    CHECK_THAT(complaint(R"({"windows_ca_certs_match": ["x"]})"), ContainsSubstring("has \"windows_ca_certs_match\""));
    CHECK_THAT(complaint(R"({"user": "a", "token": "t"})"),
               ContainsSubstring("user and token are both set; unset one"));
    CHECK_THAT(complaint(R"({"user_jwt": "eyJ0"})"),
               ContainsSubstring("has only one of \"user_jwt\" and \"user_seed\""));
    CHECK_THAT(complaint(R"({"password": "env://PASSWORD", "user": "a"})"),
               ContainsSubstring("refers to env://... in \"password\""));
    CHECK_THAT(complaint(R"({"creds": "op://vault/creds"})"), ContainsSubstring("refers to op://... in \"creds\""));
    CHECK_THAT(
        complaint(R"({"creds": "/nowhere/x.creds"})"),
        ContainsSubstring("names the file \"/nowhere/x.creds\", which cannot be read: No such file or directory"));
    CHECK_THAT(complaint(R"({"cert": ")" + home.file("cert.pem") + R"("})"),
               ContainsSubstring("only one of \"cert\" and \"key\""));
}

TEST_CASE("NATS_CONTEXT is the base, the other variables override it") {
    Home home;
    home.context("prod",
                 R"({"url": "nats://prod", "user": "alice", "password": "secret", "inbox_prefix": "_INBOX_p"})");
    home.set("NATS_CONTEXT", "prod");
    CHECK(BrokerOptions::from_environment().servers == Servers{"nats://prod"});
    home.set("NATS_URL", "nats://other");
    home.set("NATS_TOKEN", "t");
    const auto options = BrokerOptions::from_environment();
    CHECK(options.servers == Servers{"nats://other"});
    CHECK(std::get<Token>(options.credentials).token == "t");
    CHECK(options.inbox_prefix == "_INBOX_p");
}

TEST_CASE("resolve fills what the program left out, and leaves what it said") {
    Home home;
    home.set("NATS_URL", "nats://env");
    home.set("NATS_TOKEN", "env");
    home.set("NATS_CA", home.file("ca.pem"));
    home.set("NATS_INBOX_PREFIX", "_INBOX_env");

    const auto from_environment = resolve({});
    CHECK(from_environment.servers == Servers{"nats://env"});
    CHECK(std::get<Token>(from_environment.credentials).token == "env");
    CHECK(from_environment.tls.ca_file == home.path() + "/ca.pem");
    CHECK(from_environment.inbox_prefix == "_INBOX_env");

    const auto own_ca = home.file("own.pem");
    const auto said =
        resolve({.credentials = UserPassword{"alice", "x"}, .tls = {.ca_file = own_ca}, .inbox_prefix = "_INBOX_own"});
    CHECK(said.servers == Servers{"nats://env"});
    CHECK(std::get<UserPassword>(said.credentials).user == "alice");
    CHECK(said.tls.ca_file == own_ca);
    CHECK(said.inbox_prefix == "_INBOX_own");
}

TEST_CASE("resolve does not send the environment's credentials to servers that the program named") {
    Home home;
    home.set("NATS_TOKEN", "env");
    home.set("NATS_USER", "contradiction");
    const auto options = resolve({.servers = {"nats://code"}});
    CHECK(options.servers == Servers{"nats://code"});
    CHECK(std::holds_alternative<std::monostate>(options.credentials));
}

TEST_CASE("resolve finds what cannot work") {
    const Home home;
    auto complaint = [](BrokerOptions options) {
        const auto error = error_of([&] { resolve(std::move(options)); });
        CHECK(error.code() == Condition::bad_setup);
        return std::string{error.message()};
    };
    CHECK_THAT(complaint({.credentials = CredsFile{"/nowhere"}}),
               ContainsSubstring("credentials names the file \"/nowhere\""));
    CHECK_THAT(complaint({.credentials = NkeyFile{"/nowhere"}}),
               ContainsSubstring("credentials names the file \"/nowhere\""));
    CHECK_THAT(complaint({.tls = {.ca_file = "/nowhere"}}),
               ContainsSubstring("tls.ca_file names the file \"/nowhere\""));
    CHECK_THAT(complaint({.tls = {.certificate = home.file("cert.pem")}}),
               ContainsSubstring("go together; set both or none"));
    CHECK_THAT(complaint({.servers = {"nats://bob:x@host"}, .credentials = Token{"t"}}),
               ContainsSubstring("use one of them"));
    for (const char* prefix : {"", "a b", "_INBOX.>", "_INBOX.", "a-prefix-of-more-than-32-characters"})
        CHECK_THAT(complaint({.inbox_prefix = prefix}),
                   ContainsSubstring("inbox_prefix \"" + std::string{prefix} + "\" is not a subject"));
    using namespace std::chrono_literals;
    CHECK_THAT(complaint({.request_timeout = -1ms}),
               ContainsSubstring("request_timeout is -1 ms; a time cannot be negative"));
    CHECK_THAT(complaint({.stop_timeout = -2s}), ContainsSubstring("stop_timeout is -2000 ms"));
    CHECK_THAT(complaint({.reconnect = {.max_wait = -1ms}}), ContainsSubstring("reconnect.max_wait is -1 ms"));
}
