// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "base/without_secrets.hpp"

using freshet::detail::without_secrets;

TEST_CASE("seeds, JWTs and the secrets of URLs are not shown, and everything else is") {
    const std::string seed = "SUADPW5X7HNFSYQ436B52733JYJ3QU5NRB6N53F5VI5SAQALNXYIPOOTZE";
    const std::string jwt = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJvcGVyYXRvciIsImlhdCI6MTcw-_sig";
    const std::pair<std::string, std::string> cases[] = {
        {"", ""},
        {"/etc/nats/user.creds", "/etc/nats/user.creds"},
        {seed, "(a seed)"},
        {"SA" + seed.substr(2), "(a seed)"},
        {"cannot read '" + seed + "': no such file", "cannot read '(a seed)': no such file"},
        {"a\n" + jwt + "\nb", "a\n(a JWT)\nb"},
        {"eyJust a word, SUN and SUNDAY", "eyJust a word, SUN and SUNDAY"},
        {"nats://host:4222", "nats://host:4222"},
        {"nats://bob:s3cret@host:4222", "nats://host:4222"},
        {"nats://bob:s3c@ret@host:4222 said no", "nats://host:4222 said no"},
        {"nats://s3crettoken@host", "nats://host"},
        {"nats://host:4222?password=s3cret", "nats://host:4222"},
        {"nats://host:4222/s3cret, tls://bob:pw@other", "nats://host:4222, tls://other"},
        {"\"nats://host:4222#s3cret\" is wrong", "\"nats://host:4222\" is wrong"},
    };
    for (const auto& [text, shown] : cases) {
        INFO(text);
        CHECK(without_secrets(text) == shown);
    }
}
