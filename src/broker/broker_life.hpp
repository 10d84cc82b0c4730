// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

namespace freshet::detail {

/// The life of a broker as a state machine: which state follows which event, and what its owner has to do then.
/// docs/architecture.md has its table. Knows no thread, lock or socket: the owner reports each event under one lock,
/// and acts after it has released the lock.
class BrokerLife {
public:
    enum class State : std::uint8_t {
        idle,         ///< not started
        forbidden,    ///< not started; the next start ends at once
        connecting,   ///< start() waits for a server
        interrupted,  ///< start() was told to stop while it waited for a server
        subscribing,  ///< start() subscribes; messages are handled, and handlers publish
        leaving,      ///< start() was told to stop while it subscribed, and comes to its end first
        running,
        undoing,   ///< start() has failed, and takes back what it did
        stopping,  ///< what has arrived is handled, then the connection closes
        stopped,   ///< for good: a broker starts once
    };

    enum class Event : std::uint8_t {
        start,       ///< start() was called
        forbid,      ///< the App that starts the broker wants no start any more; nothing if it has connected
        connected,   ///< a server answered
        subscribed,  ///< every subscriber has started
        failed,      ///< start() cannot go on
        undone,      ///< nothing is left of what start() did
        stop,        ///< stop(), a destructor or ExitApp wants the end
        lost,        ///< the connection was closed, and not by the broker
        overdue,     ///< the time of the stop is over, and something was left unhandled
        closed,      ///< the connection is closed at the end of the stop
    };

    /// The duty of the owner after the step.
    enum class Action : std::uint8_t {
        none,
        refuse,     ///< start() is not possible in this state
        connect,    ///< open the connection
        subscribe,  ///< let messages leave, start the subscribers
        undo,       ///< take back what start() did, then say `undone`
        abandon,    ///< end the subscribers, none of which has started
        interrupt,  ///< close the connection that is being made
        announce,   ///< tell handlers that the broker will stop
        wind_down,  ///< tell handlers that the broker stops, stop in an orderly way, then say `closed`
    };

    /// Takes the step for `event`. Returns what the owner does next.
    Action on(Event event) noexcept {
        switch (event) {
            case Event::start: return start();
            case Event::forbid: return forbid();
            case Event::connected: return connected();
            case Event::subscribed: return subscribed();
            case Event::failed: return failed();
            case Event::stop: return stop();
            case Event::lost: return lost();
            case Event::undone: return undone();
            case Event::overdue: return overdue();
            case Event::closed: return closed();
        }
        return Action::none;
    }

    State state() const noexcept { return state_; }
    bool is_idle() const noexcept { return state_ == State::idle || state_ == State::forbidden; }
    bool is_stopped() const noexcept { return state_ == State::stopped; }
    /// Returns true if subscribers that are declared now start at once.
    bool is_live() const noexcept { return state_ == State::subscribing || state_ == State::running; }
    /// Returns true if no subscriber can be declared any more: the broker was told to stop, or could not start. What is
    /// declared while start() still works would handle messages after a stop() that has given up.
    bool is_over() const noexcept {
        return state_ == State::interrupted || state_ == State::leaving || state_ == State::undoing ||
               state_ == State::stopping || state_ == State::stopped;
    }
    /// Returns true if a stop ended start(), not a failure, or came before it.
    bool was_cut_short() const noexcept { return cut_short_; }
    /// Returns true if the broker has stopped, left nothing unhandled, and did not lose its connection.
    bool ended_clean() const noexcept { return is_stopped() && !leftovers_ && !lost_; }
    /// Returns true if the stop has left nothing unhandled so far.
    bool drained() const noexcept { return !leftovers_; }
    /// Returns true once, for the first caller that finds the time of the stop over. It reports that, then `overdue`.
    bool first_to_give_up() noexcept { return state_ == State::stopping && !std::exchange(given_up_, true); }

private:
    Action go(State state, Action action) noexcept {
        state_ = state;
        return action;
    }

    Action start() noexcept {
        if (state_ == State::idle) return go(State::connecting, Action::connect);
        if (state_ != State::forbidden) return Action::refuse;
        cut_short_ = true;
        return go(State::stopped, Action::abandon);
    }

    Action forbid() noexcept {
        if (state_ == State::idle) return go(State::forbidden, Action::none);
        return state_ == State::connecting ? stop() : Action::none;
    }

    Action connected() noexcept {
        switch (state_) {
            case State::connecting: return go(State::subscribing, Action::subscribe);
            case State::interrupted: return go(State::undoing, Action::undo);
            default: return Action::none;
        }
    }

    Action subscribed() noexcept {
        switch (state_) {
            case State::subscribing: return go(State::running, Action::none);
            case State::leaving: return go(State::stopping, Action::wind_down);
            default: return Action::none;
        }
    }

    Action failed() noexcept {
        switch (state_) {
            case State::connecting:
            case State::interrupted:
            case State::subscribing:
            case State::leaving: return go(State::undoing, Action::undo);
            default: return Action::none;
        }
    }

    Action undone() noexcept { return state_ == State::undoing ? go(State::stopped, Action::none) : Action::none; }

    Action stop() noexcept {
        switch (state_) {
            case State::idle:
            case State::forbidden: cut_short_ = true; return go(State::stopped, Action::abandon);
            case State::connecting: cut_short_ = true; return go(State::interrupted, Action::interrupt);
            case State::subscribing: cut_short_ = true; return go(State::leaving, Action::announce);
            case State::running: return go(State::stopping, Action::wind_down);
            default: return Action::none;
        }
    }

    Action lost() noexcept {
        if (state_ != State::subscribing && state_ != State::running) return Action::none;
        lost_ = true;
        return stop();
    }

    Action overdue() noexcept {
        if (state_ != State::stopping) return Action::none;
        leftovers_ = true;
        return go(State::stopped, Action::none);
    }

    Action closed() noexcept { return state_ == State::stopping ? go(State::stopped, Action::none) : Action::none; }

    State state_ = State::idle;
    bool cut_short_ = false;
    bool lost_ = false;
    bool leftovers_ = false;
    bool given_up_ = false;
};

}  // namespace freshet::detail
