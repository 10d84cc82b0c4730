// SPDX-License-Identifier: Apache-2.0
// The states of a broker, step by step, without a broker.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "broker/broker_life.hpp"

using freshet::detail::BrokerLife;
using State = BrokerLife::State;
using Event = BrokerLife::Event;
using Action = BrokerLife::Action;

namespace {

BrokerLife after(std::initializer_list<Event> events) {
    BrokerLife life;
    for (const auto event : events) life.on(event);
    return life;
}

BrokerLife in(State state) {
    switch (state) {
        case State::idle: return after({});
        case State::forbidden: return after({Event::forbid});
        case State::connecting: return after({Event::start});
        case State::interrupted: return after({Event::start, Event::stop});
        case State::subscribing: return after({Event::start, Event::connected});
        case State::leaving: return after({Event::start, Event::connected, Event::stop});
        case State::running: return after({Event::start, Event::connected, Event::subscribed});
        case State::undoing: return after({Event::start, Event::failed});
        case State::stopping: return after({Event::start, Event::connected, Event::subscribed, Event::stop});
        case State::stopped: return after({Event::stop});
    }
    return {};
}

struct Step {
    State from;
    Event event;
    State to;
    Action action;
};

constexpr std::array states{State::idle,    State::forbidden, State::connecting, State::interrupted, State::subscribing,
                            State::leaving, State::running,   State::undoing,    State::stopping,    State::stopped};
constexpr std::array events{Event::start,  Event::forbid, Event::connected, Event::subscribed, Event::failed,
                            Event::undone, Event::stop,   Event::lost,      Event::overdue,    Event::closed};

// The table in docs/architecture.md.
const std::vector<Step> steps{
    {State::idle, Event::start, State::connecting, Action::connect},
    {State::idle, Event::forbid, State::forbidden, Action::none},
    {State::idle, Event::stop, State::stopped, Action::abandon},
    {State::forbidden, Event::start, State::stopped, Action::abandon},
    {State::forbidden, Event::stop, State::stopped, Action::abandon},
    {State::connecting, Event::connected, State::subscribing, Action::subscribe},
    {State::connecting, Event::failed, State::undoing, Action::undo},
    {State::connecting, Event::stop, State::interrupted, Action::interrupt},
    {State::connecting, Event::forbid, State::interrupted, Action::interrupt},
    {State::interrupted, Event::connected, State::undoing, Action::undo},
    {State::interrupted, Event::failed, State::undoing, Action::undo},
    {State::subscribing, Event::subscribed, State::running, Action::none},
    {State::subscribing, Event::failed, State::undoing, Action::undo},
    {State::subscribing, Event::stop, State::leaving, Action::announce},
    {State::subscribing, Event::lost, State::leaving, Action::announce},
    {State::leaving, Event::subscribed, State::stopping, Action::wind_down},
    {State::leaving, Event::failed, State::undoing, Action::undo},
    {State::running, Event::stop, State::stopping, Action::wind_down},
    {State::running, Event::lost, State::stopping, Action::wind_down},
    {State::undoing, Event::undone, State::stopped, Action::none},
    {State::stopping, Event::closed, State::stopped, Action::none},
    {State::stopping, Event::overdue, State::stopped, Action::none},
};

}  // namespace

TEST_CASE("each event of a broker's life leads to one state and one action") {
    for (const auto& step : steps) {
        CAPTURE(step.from, step.event);
        auto life = in(step.from);
        REQUIRE(life.state() == step.from);
        CHECK(life.on(step.event) == step.action);
        CHECK(life.state() == step.to);
    }
}

TEST_CASE("an event that the table does not have changes nothing") {
    for (const auto state : states) {
        for (const auto event : events) {
            if (std::ranges::any_of(steps, [&](const Step& step) { return step.from == state && step.event == event; }))
                continue;
            CAPTURE(state, event);
            auto life = in(state);
            CHECK(life.on(event) == (event == Event::start ? Action::refuse : Action::none));
            CHECK(life.state() == state);
            CHECK(life.drained());
        }
    }
}

TEST_CASE("a broker starts once") {
    for (const auto state : {State::connecting, State::interrupted, State::subscribing, State::leaving, State::running,
                             State::undoing, State::stopping, State::stopped}) {
        CAPTURE(state);
        auto life = in(state);
        CHECK(life.on(Event::start) == Action::refuse);
        CHECK(life.state() == state);
    }
}

TEST_CASE("a second stop, and one after a failure, changes nothing") {
    for (const auto state : {State::interrupted, State::leaving, State::undoing, State::stopping, State::stopped}) {
        CAPTURE(state);
        for (const auto event : {Event::stop, Event::forbid, Event::lost}) {
            auto life = in(state);
            CHECK(life.on(event) == Action::none);
            CHECK(life.state() == state);
        }
    }
}

TEST_CASE("the first who finds the time of a stop over reports it") {
    auto life = in(State::stopping);
    CHECK(life.first_to_give_up());
    CHECK_FALSE(life.first_to_give_up());
    life.on(Event::overdue);
    life.on(Event::closed);  // the winding down comes to its end after all
    CHECK(life.is_stopped());
    CHECK_FALSE(life.drained());
    for (const auto state : {State::connecting, State::interrupted, State::leaving, State::undoing, State::stopped}) {
        CAPTURE(state);
        life = in(state);
        CHECK_FALSE(life.first_to_give_up());
        CHECK(life.on(Event::overdue) == Action::none);
        CHECK(life.state() == state);
    }
}

TEST_CASE("nothing is declared any more once a stop is wanted, even if start() still works") {
    for (const auto state : {State::interrupted, State::leaving, State::undoing, State::stopping, State::stopped}) {
        CAPTURE(state);
        CHECK(in(state).is_over());
        CHECK_FALSE(in(state).is_live());
    }
    for (const auto state : {State::idle, State::forbidden, State::connecting, State::subscribing, State::running}) {
        CAPTURE(state);
        CHECK_FALSE(in(state).is_over());
    }
    for (const auto state : {State::subscribing, State::running}) CHECK(in(state).is_live());
}

TEST_CASE("a connection that is lost while nothing runs is not the end of a broker") {
    for (const auto state : {State::idle, State::connecting}) {
        auto life = in(state);
        CHECK(life.on(Event::lost) == Action::none);
        CHECK(life.state() == state);
    }
}

TEST_CASE("forbidding a start does not stop a broker that has connected") {
    for (const auto state : {State::subscribing, State::running}) {
        auto life = in(state);
        CHECK(life.on(Event::forbid) == Action::none);
        CHECK(life.state() == state);
    }
}

TEST_CASE("a start is cut short by a stop that comes before its failure, not after") {
    CHECK(after({Event::start, Event::stop, Event::failed}).was_cut_short());
    CHECK(after({Event::start, Event::connected, Event::stop, Event::failed}).was_cut_short());
    CHECK(after({Event::forbid, Event::start}).was_cut_short());
    CHECK_FALSE(after({Event::start, Event::failed, Event::stop}).was_cut_short());
    CHECK_FALSE(after({Event::start, Event::failed, Event::undone}).was_cut_short());
}

TEST_CASE("a life ends clean unless something was left or the connection was lost") {
    const auto run = {Event::start, Event::connected, Event::subscribed};
    const auto ended = [&](std::initializer_list<Event> events) {
        auto life = after(run);
        for (const auto event : events) life.on(event);
        return life.ended_clean();
    };
    CHECK(ended({Event::stop, Event::closed}));
    CHECK_FALSE(ended({Event::stop}));
    CHECK_FALSE(ended({Event::stop, Event::overdue}));
    CHECK_FALSE(ended({Event::stop, Event::overdue, Event::closed}));
    CHECK_FALSE(ended({Event::lost, Event::closed}));
    CHECK(after({Event::stop}).ended_clean());
}
