// SPDX-License-Identifier: Apache-2.0
// Each cell of the table in docs/jetstream-consumers.md#settlement.
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "jetstream/consume/settlement.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using Kind = Action::Kind;

namespace {

constexpr std::array policies{AckPolicy::ack_first, AckPolicy::ack, AckPolicy::reject_on_error,
                              AckPolicy::nack_on_error, AckPolicy::manual};

struct Row {
    std::string what;
    Ending ending;
    Outcome outcome;
    std::array<Action, policies.size()> actions;  // in the order of `policies`
};

constexpr Action nothing{};
constexpr Action ack{Kind::ack};
constexpr Action term{Kind::term};
Action nak(std::chrono::nanoseconds delay) { return {Kind::nak, delay}; }
Action dead(std::chrono::nanoseconds delay) { return {Kind::dead_letter, delay}; }

void check(const std::vector<Row>& rows, const js::Retry& retry, std::uint64_t deliveries) {
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < policies.size(); ++i) {
            DYNAMIC_SECTION(row.what << ", " << to_string(policies[i])) {
                const Settlement settlement{policies[i], retry};
                const auto action = settlement.after(row.ending, row.outcome, {deliveries, deliveries});
                CHECK(action.kind == row.actions[i].kind);
                CHECK(action.delay == row.actions[i].delay);
            }
        }
    }
}

const js::Retry plain{.backoff = {1s, 5s}};
const js::Retry limited{.max_attempts = 3, .backoff = {1s, 5s}, .dead_letter = "dead.orders"};

}  // namespace

TEST_CASE("settlement without a dead letter") {
    check({{"returned", Ending::succeeded, Outcome::ack, {nothing, ack, ack, ack, nothing}},
           {"said ack", Ending::decided, Outcome::ack, {nothing, ack, ack, ack, ack}},
           {"said nack", Ending::decided, Outcome::nack(), {nothing, nak(1s), nak(1s), nak(1s), nak(1s)}},
           {"said nack later", Ending::decided, Outcome::nack(7s), {nothing, nak(7s), nak(7s), nak(7s), nak(7s)}},
           {"said term", Ending::decided, Outcome::term("no"), {nothing, term, term, term, term}},
           {"declined", Ending::declined, Outcome::term("no"), {nothing, ack, term, term, nothing}},
           {"failed", Ending::failed, Outcome::nack(), {nothing, ack, term, nak(1s), nothing}},
           {"poison", Ending::poison, Outcome::term(), {term, term, term, term, term}}},
          plain, 1);
}

TEST_CASE("settlement with a dead letter and attempts left") {
    check({{"returned", Ending::succeeded, Outcome::ack, {nothing, ack, ack, ack, nothing}},
           {"said ack", Ending::decided, Outcome::ack, {nothing, ack, ack, ack, ack}},
           {"said nack", Ending::decided, Outcome::nack(), {nothing, nak(5s), nak(5s), nak(5s), nak(5s)}},
           {"said nack later", Ending::decided, Outcome::nack(7s), {nothing, nak(7s), nak(7s), nak(7s), nak(7s)}},
           {"said term", Ending::decided, Outcome::term("no"), {nothing, dead(5s), dead(5s), dead(5s), dead(5s)}},
           {"declined", Ending::declined, Outcome::term("no"), {nothing, ack, dead(5s), dead(5s), nothing}},
           {"failed", Ending::failed, Outcome::nack(), {nothing, ack, dead(5s), nak(5s), nothing}},
           {"poison", Ending::poison, Outcome::term(), {dead(5s), dead(5s), dead(5s), dead(5s), dead(5s)}}},
          limited, 2);
}

TEST_CASE("settlement at the last attempt") {
    check({{"returned", Ending::succeeded, Outcome::ack, {nothing, ack, ack, ack, nothing}},
           {"said ack", Ending::decided, Outcome::ack, {nothing, ack, ack, ack, ack}},
           {"said nack", Ending::decided, Outcome::nack(), {nothing, dead(5s), dead(5s), dead(5s), dead(5s)}},
           {"said nack later", Ending::decided, Outcome::nack(7s), {nothing, dead(5s), dead(5s), dead(5s), dead(5s)}},
           {"said term", Ending::decided, Outcome::term("no"), {nothing, dead(5s), dead(5s), dead(5s), dead(5s)}},
           {"declined", Ending::declined, Outcome::term("no"), {nothing, ack, dead(5s), dead(5s), nothing}},
           {"failed", Ending::failed, Outcome::nack(), {nothing, ack, dead(5s), dead(5s), nothing}},
           {"poison", Ending::poison, Outcome::term(), {dead(5s), dead(5s), dead(5s), dead(5s), dead(5s)}}},
          limited, 3);
}

TEST_CASE("the last attempt without a dead letter ends the message") {
    const Settlement settlement{AckPolicy::nack_on_error, {.max_attempts = 2}};
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {1, 1}) == nak(1s));
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {2, 2}) == term);
    CHECK(settlement.after(Ending::decided, Outcome::nack(3s), {2, 2}) == term);
}

TEST_CASE("delays grow as the backoff says, and stay at the last") {
    const Settlement settlement{AckPolicy::nack_on_error, {.backoff = {1s, 5s, 30s}}};
    const std::array expected{1s, 5s, 30s, 30s, 30s};
    for (std::uint64_t i = 0; i < expected.size(); ++i)
        CHECK(settlement.after(Ending::failed, Outcome::nack(), {i + 1, i + 1}) == nak(expected[i]));
}

TEST_CASE("without a backoff a failed message comes back at once") {
    const Settlement settlement{AckPolicy::nack_on_error, {.backoff = {}}};
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {4, 4}) == nak(0s));
}

TEST_CASE("ack_first acknowledges before the handler, the others do not") {
    for (const auto policy : policies) {
        CAPTURE(to_string(policy));
        const Settlement settlement{policy, plain};
        CHECK(settlement.before(1) == (policy == AckPolicy::ack_first ? ack : nothing));
    }
}

TEST_CASE("a message is given up for the attempts of handlers, not for its deliveries") {
    const Settlement settlement{AckPolicy::nack_on_error, {.max_attempts = 3, .backoff = {1s, 5s}}};
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {.deliveries = 7, .attempts = 1}) == nak(1s));
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {.deliveries = 8, .attempts = 2}) == nak(5s));
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {.deliveries = 9, .attempts = 3}) == term);
    // Perhaps by other programs, too: there is an end.
    CHECK(settlement.after(Ending::failed, Outcome::nack(), {.deliveries = 14, .attempts = 1}) == term);
}

TEST_CASE("a message delivered far more often than allowed is given up before the handler") {
    for (const auto policy : policies) {
        CAPTURE(to_string(policy));
        const Settlement settlement{policy, limited};
        CHECK(settlement.before(3).kind == (policy == AckPolicy::ack_first ? Kind::ack : Kind::none));
        CHECK(settlement.before(13).kind == (policy == AckPolicy::ack_first ? Kind::ack : Kind::none));
        CHECK(settlement.before(14) == dead(5s));
        CHECK(Settlement{policy, {.max_attempts = 3}}.before(14) == term);
        CHECK(Settlement{policy, {.max_attempts = 100}}.before(400).kind != Kind::term);
        CHECK(Settlement{policy, {.max_attempts = 100}}.before(401) == term);
        CHECK(Settlement{policy, {.max_attempts = 0}}.before(1'000'000).kind != Kind::term);
    }
}
