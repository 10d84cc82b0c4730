// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/contract.hpp>

#include <thread>

#include "testing/contract/probe.hpp"

namespace freshet::contract {

using namespace std::chrono_literals;

bool Environment::eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + detail::patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

void Environment::pass(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

std::vector<Rule> rules() {
    auto all = detail::delivery_rules();
    for (const auto& more : {detail::lifetime_rules(), detail::connection_rules()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

Verdict check(const Rule& rule, Environment& environment) {
    try {
        rule.check(environment);
        return {rule, Verdict::Kind::kept, {}};
    } catch (const detail::Skipped& skipped) {
        return {rule, Verdict::Kind::skipped, skipped.what()};
    } catch (const std::exception& broken) { return {rule, Verdict::Kind::broken, broken.what()}; }
}

std::vector<Verdict> check_all(const std::function<std::unique_ptr<Environment>()>& make) {
    return detail::check_all(rules(), make);
}

std::vector<Verdict> detail::check_all(std::span<const Rule> rules,
                                       const std::function<std::unique_ptr<Environment>()>& make) {
    std::vector<Verdict> verdicts;
    for (const auto& rule : rules) {
        const auto environment = make();
        verdicts.push_back(check(rule, *environment));
    }
    return verdicts;
}

std::string broken(std::span<const Verdict> verdicts) {
    std::string text;
    for (const auto& verdict : verdicts) {
        if (verdict.kept()) continue;
        text += fmt::format("{}: {} -- but {}\n", verdict.rule.name, verdict.rule.text, verdict.why);
    }
    return text;
}

}  // namespace freshet::contract
