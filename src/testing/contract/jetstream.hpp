// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/metadata.hpp>

#include "testing/contract/probe.hpp"

namespace freshet::contract {

using Json = nlohmann::json;

/// Who speaks JetStream's protocol, word by word, and looks at what comes.
class JsPeer {
public:
    explicit JsPeer(Environment& environment);

    /// Asks, and waits for the one answer.
    Probe::Seen ask(std::string_view subject, std::string_view text, const Headers& headers = {});
    /// Asks, and waits for so many answers.
    std::vector<Probe::Seen> request_many(std::string_view subject, std::string_view text, std::size_t answers);
    /// Asks the API; an error breaks the rule.
    Json call(std::string_view operation, const Json& body = Json::object());
    /// Asks the API for what it must refuse; the error's code.
    int refusal(std::string_view operation, const Json& body);

    /// A stream S, of the subjects s.> if nothing else is said.
    Json stream(Json config = Json::object());
    Json state(std::string_view stream = "S");
    /// Publishes and returns the acknowledgement.
    Json publish(std::string_view subject, std::string_view text = "x", const Headers& headers = {});
    std::uint64_t stored(std::string_view subject, std::string_view text = "x", const Headers& headers = {});
    int publish_refusal(std::string_view subject, std::string_view text, const Headers& headers);
    /// The bodies that the stream has, in order.
    Texts texts(std::string_view stream = "S");

    /// A durable consumer C of the stream S that acknowledges each message, if nothing else is said.
    Json consumer(Json config = Json::object());
    Json consumer_info(std::string_view name = "C");
    /// Asks for messages without waiting for them; what comes is at received().
    std::string pull(Json request, std::string_view consumer = "C");
    /// Asks for so many at once, and waits for these and no others.
    std::vector<Probe::Seen> fetch(std::size_t count, std::string_view consumer = "C");
    /// What came to an inbox.
    std::vector<Probe::Seen> received(const std::string& inbox) const;
    /// Those of them that are messages, not statuses.
    std::size_t messages(const std::string& inbox) const;
    void wait_for(const std::string& inbox, std::size_t messages);
    void wait_for_answers(const std::string& inbox, std::size_t answers);
    void wait_for_status(const std::string& inbox, int status);
    void settle(const Probe::Seen& message, std::string_view word = "+ACK");
    /// The server has everything that was published.
    void flush() { peer_.flush(); }
    void pass(std::chrono::milliseconds time) { environment_.pass(time); }
    bool eventually(const std::function<bool()>& condition) { return environment_.eventually(condition); }
    Peer& peer() noexcept { return peer_; }

private:
    std::string inbox();

    Environment& environment_;
    Peer peer_;
    // One for each question: a delivery has the subject of what was stored, which does not tell whose it is.
    std::map<std::string, Probe*, std::less<>> inboxes_ = {};
};

Texts texts_of(const std::vector<Probe::Seen>& seen);
/// Its texts are those of `seen`.
Metadata metadata_of(const Probe::Seen& seen);

// The rules, by what they are about.
std::vector<Rule> stream_rules();
std::vector<Rule> publish_rules();
std::vector<Rule> consumer_rules();
std::vector<Rule> settlement_rules();

}  // namespace freshet::contract
