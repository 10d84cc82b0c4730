// SPDX-License-Identifier: Apache-2.0
// The table in docs/architecture.md: every event in every state.
#include <array>
#include <cstddef>
#include <functional>

#include <catch2/catch_test_macros.hpp>

#include "delivery/subscriber_life.hpp"

using freshet::detail::SubscriberLife;
using State = SubscriberLife::State;
using Stop = SubscriberLife::Stop;

namespace {

SubscriberLife in(State state) {
    SubscriberLife life;
    if (state == State::declared) return life;
    life.start();
    if (state == State::starting) return life;
    life.started();
    if (state == State::running) return life;
    life.stop();
    if (state == State::stopping) return life;
    life.source_ended();
    if (state == State::ended) return life;
    life.emptied();
    return life;
}

constexpr std::array states{State::declared, State::starting, State::running,
                            State::stopping, State::ended,    State::finished};

/// The state after the event in each of the states.
std::array<State, 6> after(const std::function<void(SubscriberLife&)>& event) {
    std::array<State, 6> next{};
    for (std::size_t i = 0; i < states.size(); ++i) {
        auto life = in(states[i]);
        CHECK(life.state() == states[i]);
        event(life);
        next[i] = life.state();
    }
    return next;
}

}  // namespace

TEST_CASE("a start begins the life of what was declared, and of nothing else") {
    CHECK(after([](auto& life) { life.start(); }) ==
          std::array{State::starting, State::starting, State::running, State::stopping, State::ended, State::finished});
    CHECK(in(State::declared).start());
    CHECK_FALSE(in(State::ended).start());
}

TEST_CASE("a source that has started runs, unless a stop came meanwhile") {
    CHECK(after([](auto& life) { life.started(); }) ==
          std::array{State::declared, State::running, State::running, State::stopping, State::ended, State::finished});
    CHECK_FALSE(in(State::starting).started());
    CHECK(in(State::stopping).started());
    CHECK_FALSE(in(State::ended).started());
}

TEST_CASE("a stop ends what was not started, and is told to the source of what was") {
    CHECK(after([](auto& life) { life.stop(); }) ==
          std::array{State::ended, State::stopping, State::stopping, State::stopping, State::ended, State::finished});
    CHECK(in(State::declared).stop() == Stop::not_begun);
    CHECK(in(State::starting).stop() == Stop::starting);
    CHECK(in(State::running).stop() == Stop::under_way);
    CHECK(in(State::stopping).stop() == Stop::under_way);
    CHECK(in(State::ended).stop() == Stop::over);
    CHECK(in(State::finished).stop() == Stop::over);
}

TEST_CASE("the end of the source counts once") {
    CHECK(after([](auto& life) { life.source_ended(); }) ==
          std::array{State::declared, State::ended, State::ended, State::ended, State::ended, State::finished});
    for (const auto state : {State::starting, State::running, State::stopping}) CHECK(in(state).source_ended());
    for (const auto state : {State::declared, State::ended, State::finished}) CHECK_FALSE(in(state).source_ended());
}

TEST_CASE("what has ended is finished when nothing waits and no handler runs") {
    CHECK(after([](auto& life) { life.emptied(); }) == std::array{State::declared, State::starting, State::running,
                                                                  State::stopping, State::finished, State::finished});
}

TEST_CASE("a stop before the start keeps the start from happening") {
    SubscriberLife life;
    CHECK(life.stop() == Stop::not_begun);
    CHECK_FALSE(life.start());
    life.emptied();
    CHECK(life.state() == State::finished);
}
