// SPDX-License-Identifier: Apache-2.0
// Opens a database session for each message whose handler needs one. freshet commits it when the message was handled
// and its results were sent, and rolls it back when anything failed. The handlers do neither.
//
//     NATS_URL=nats://localhost:4222 ./sessions
//     nats request accounts.move '{"from": "ann", "to": "bob", "amount": 30}'
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

#include <freshet/freshet.hpp>

using freshet::Broker, freshet::Depends, freshet::Inject, freshet::Outcome;

struct Move {
    std::string from{};
    std::string to{};
    int amount{};
};
struct Moved {
    int left{};
};
FRESHET_JSON(Move, from, to, amount);
FRESHET_JSON(Moved, left);

/// Stands for a real database: for the connection pool of its driver.
class Database {
public:
    std::map<std::string, int> read() const {
        const std::lock_guard lock{mutex_};
        return balances_;
    }
    void write(std::map<std::string, int> balances) {
        const std::lock_guard lock{mutex_};
        balances_ = std::move(balances);
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, int> balances_{{"ann", 100}, {"bob", 0}};
};

/// The changes of one message. Neither copied nor moved.
class Session {
public:
    explicit Session(Database& database) : database_{database}, balances_{database.read()} {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    int& balance(const std::string& account) {
        const auto found = balances_.find(account);
        if (found == balances_.end()) throw freshet::RemoteError{404, "there is no account " + account};
        return found->second;
    }

    /// freshet calls this after the answer and the publications; without ack nothing is written.
    void on_outcome(const Outcome& outcome) {
        if (outcome == Outcome::ack) database_.write(std::move(balances_));
    }

private:
    Database& database_;
    std::map<std::string, int> balances_;
};

Session open_session(Inject<Database> database) { return Session{*database}; }

/// Works in the same session as the handler: the session is opened once per message.
class Accounts {
public:
    explicit Accounts(Session& session) : session_{session} {}

    void take(const std::string& account, int amount) {
        int& balance = session_.balance(account);
        balance -= amount;
        if (balance < 0) throw freshet::RemoteError{409, account + " has not enough"};
    }
    void give(const std::string& account, int amount) { session_.balance(account) += amount; }

private:
    Session& session_;
};

Accounts accounts(Depends<&open_session> session) { return Accounts{*session}; }

void wire(Broker& broker) {
    // Handles one message at a time, because this database detects no conflicts.
    broker.subscriber<"accounts.move">().publish_to<"accounts.moved">().handle(
        [](const Move& move, Depends<&accounts> accounts, Depends<&open_session> session) -> Moved {
            accounts->take(move.from, move.amount);
            accounts->give(move.to, move.amount);  // throws: what was taken is not written either
            return {.left = session->balance(move.from)};
        });
}

int main(int argc, char** argv) {
    Broker broker;
    broker.provide(std::make_shared<Database>());
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
