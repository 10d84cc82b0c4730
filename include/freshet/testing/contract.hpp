// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every Transport promises, as rules that can be checked: for a transport of your own (docs/transports.md), in whatever test framework.
//
//     for (const auto& verdict : freshet::contract::check_all([] { return std::make_unique<MyEnvironment>(); }))
//         EXPECT_TRUE(verdict.kept()) << verdict.rule->name << ": " << verdict.why;

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/transport.hpp>

namespace freshet::contract {

/// What rules are checked on: a server, and transports that reach it. A new one for each rule.
class Environment {
public:
    Environment() = default;
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    virtual ~Environment() = default;

    /// A transport that is not open, to the one server, with these of the options: no_echo, reconnect.
    virtual std::unique_ptr<Transport> connect(const BrokerOptions& options) = 0;

    /// Waits until the condition holds; false when it will not. By default it looks every millisecond, for 10 s.
    virtual bool eventually(const std::function<bool()>& condition);

    /// Lets time pass for the server. By default it sleeps.
    virtual void pass(std::chrono::milliseconds time);

    /// Cuts every connection and takes no new one; false: that cannot be done here, and rules about it are skipped.
    virtual bool interrupt() { return false; }
    virtual void resume() {}
};

/// One promise.
struct Rule {
    std::string_view name = {};             ///< "queue.one_member"
    std::string_view text = {};             ///< what is promised
    void (*check)(Environment&) = nullptr;  ///< throws when it is broken
};

/// All of them, those on which others build first.
std::vector<Rule> rules();

/// What JetStream promises behind a transport (`$JS.API`): streams, publishing, consumers, acknowledgements. For a server of one's
/// own; each rule wants a server without streams. Those about time take some seconds in all.
std::vector<Rule> jetstream_rules();

struct Verdict {
    enum class Kind : std::uint8_t { kept, broken, skipped };

    Rule rule = {};
    Kind kind = Kind::kept;
    std::string why = {};  ///< it is broken: what was seen, and what should have been

    bool kept() const noexcept { return kind != Kind::broken; }
};

/// Checks one rule; does not throw.
Verdict check(const Rule& rule, Environment& environment);

/// Checks every rule, each on an environment of its own.
std::vector<Verdict> check_all(const std::function<std::unique_ptr<Environment>()>& make);

/// The same of jetstream_rules().
std::vector<Verdict> check_jetstream(const std::function<std::unique_ptr<Environment>()>& make);

/// The rules of `verdicts` that are broken, a line each; empty: none.
std::string broken(std::span<const Verdict> verdicts);

}  // namespace freshet::contract
