// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every Transport promises, as rules that can be checked: for a transport of your own (docs/transports.md), in
// whatever test framework.
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

/// A server and the transports that reach it, for the check of one rule. You implement it; each rule gets a new one.
class Environment {
public:
    Environment() = default;
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    virtual ~Environment() = default;

    /// Returns a transport to the server of this environment, not open yet, with these of the options: no_echo,
    /// reconnect.
    virtual std::unique_ptr<Transport> connect(const BrokerOptions& options) = 0;

    /// Blocks until the condition holds and returns true; returns false if it will not hold. Default: checks the
    /// condition every millisecond, for 10 s.
    virtual bool eventually(const std::function<bool()>& condition);

    /// Lets time pass for the server. Default: sleeps.
    virtual void pass(std::chrono::milliseconds time);

    /// Cuts every connection and accepts no new one until resume(). Returns false if this environment cannot do so; the
    /// rules about it are skipped then.
    virtual bool interrupt() { return false; }
    /// Accepts connections again.
    virtual void resume() {}
};

/// A rule of the contract.
struct Rule {
    std::string_view name = {};             ///< "queue.one_member"
    std::string_view text = {};             ///< what a transport promises
    void (*check)(Environment&) = nullptr;  ///< checks the rule; throws if it is broken
};

/// Returns the rules of transports. A rule comes before the rules that build on it.
std::vector<Rule> rules();

/// Returns the rules of the JetStream behind a transport (`$JS.API`): streams, publishing, consumers, acknowledgements.
/// Each rule needs a server without streams. The rules about time take some seconds in all.
std::vector<Rule> jetstream_rules();

/// The result of checking a rule.
struct Verdict {
    enum class Kind : std::uint8_t { kept, broken, skipped };

    Rule rule = {};
    Kind kind = Kind::kept;
    std::string why = {};  ///< for a broken rule: what was seen, and what was expected

    /// Returns whether the rule is not broken: a skipped rule counts as kept.
    bool kept() const noexcept { return kind != Kind::broken; }
};

/// Checks one rule and returns the result. Does not throw. Blocks until the rule is checked.
Verdict check(const Rule& rule, Environment& environment);

/// Checks every rule of rules(), each on an environment that `make` makes, and returns the results.
std::vector<Verdict> check_all(const std::function<std::unique_ptr<Environment>()>& make);

/// Checks every rule of jetstream_rules(), each on an environment that `make` makes, and returns the results.
std::vector<Verdict> check_jetstream(const std::function<std::unique_ptr<Environment>()>& make);

/// Returns a text with a line for each broken rule; empty if none is broken.
std::string broken(std::span<const Verdict> verdicts);

}  // namespace freshet::contract
