// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/testing/contract.hpp>

#include "base/quoted.hpp"

namespace freshet::contract::detail {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

/// How long a step that should finish at once may take on a slow machine.
inline constexpr std::chrono::milliseconds patience{10'000};

class Violation : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};
/// Thrown when the environment cannot do what a rule needs.
class Skipped : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& what) {
    if (!holds) throw Violation{what};
}

std::string shown(const Texts& texts);
inline std::string shown(std::string_view text) { return freshet::detail::quoted(text); }
template <class T>
    requires std::is_arithmetic_v<T>
std::string shown(T value) {
    return fmt::format("{}", value);
}
inline std::string shown(const std::error_code& code) { return code.message(); }

template <class A, class B>
void require_equal(const A& seen, const B& wanted, std::string_view what) {
    if (!(seen == wanted)) throw Violation{fmt::format("{}: saw {}, not {}", what, shown(seen), shown(A(wanted)))};
}

/// Requires that `result` is an error with this code.
template <class T>
void require_error(const Expected<T>& result, Errc code, std::string_view what) {
    if (result) throw Violation{fmt::format("{}: it succeeded", what)};
    require_equal(result.error().code(), make_error_code(code), what);
}

/// A sink that keeps the messages that came and notices breaches of the contract.
class Probe : public MessageSink {
public:
    struct Seen {
        std::string subject;
        std::string reply_to;
        std::string text;
        Headers headers;
        int status = 0;
    };
    using OnEach = std::function<void(const Seen&)>;

    explicit Probe(OnEach on_each = {}) : on_each_{std::move(on_each)} {}

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;

    std::vector<Seen> seen() const;
    Texts texts() const;
    std::size_t size() const;
    int ends() const { return ends_; }
    /// Returns what broke the contract of MessageSink; empty: nothing.
    std::string fault() const;

private:
    void blame(std::string_view fault);

    OnEach on_each_;
    mutable std::mutex mutex_ = {};
    std::vector<Seen> seen_ = {};
    std::string fault_ = {};
    std::atomic<int> ends_ = 0;
    std::atomic<bool> inside_ = false;
};

/// An open transport and its subscriptions, each with a probe.
class Peer {
public:
    explicit Peer(Environment& environment, const BrokerOptions& options = {});
    /// Requires that no probe has seen a breach of the contract.
    void verify() const;

    Transport& operator*() const { return *transport_; }
    Transport* operator->() const { return transport_.get(); }

    /// Subscribes. The server knows of the subscription when this returns.
    Probe& subscribe(const SubscriptionSpec& spec, Probe::OnEach on_each = {});
    TransportSubscription& subscription(const Probe& probe) const;
    void unsubscribe(const Probe& probe);
    void publish(std::string_view subject, std::string_view text, std::string_view reply_to = {},
                 const Headers* headers = nullptr);
    void flush();

    std::vector<ConnectionEvent> events() const;
    std::size_t count(ConnectionEvent::Kind kind) const;
    std::size_t pending() const;

private:
    struct Log {
        std::mutex mutex = {};
        std::vector<ConnectionEvent> events = {};
    };
    struct Line {
        std::shared_ptr<Probe> probe;
        std::unique_ptr<TransportSubscription> subscription;
    };

    std::shared_ptr<Log> log_ = std::make_shared<Log>();
    std::unique_ptr<Transport> transport_;
    std::vector<Line> lines_ = {};
};

/// Blocks until these peers have handled everything that they have published.
void settle(Environment& environment, std::initializer_list<Peer*> peers);
void wait_for(Environment& environment, const Probe& probe, std::size_t messages);
void wait_for_end(Environment& environment, const Probe& probe);

std::vector<Verdict> check_all(std::span<const Rule> rules, const std::function<std::unique_ptr<Environment>()>& make);

// The rules, by topic.
std::vector<Rule> delivery_rules();
std::vector<Rule> lifetime_rules();
std::vector<Rule> connection_rules();

}  // namespace freshet::contract::detail
