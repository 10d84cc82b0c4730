// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/metadata.hpp>

#include "testing/contract/probe.hpp"

namespace freshet::contract::detail {

using Json = nlohmann::json;

/// Speaks JetStream's protocol word by word and looks at the answers.
class JsPeer {
public:
    explicit JsPeer(Environment& environment);

    /// Sends a request and blocks until its one answer comes.
    Probe::Seen ask(std::string_view subject, std::string_view text, const Headers& headers = {});
    /// Sends a request and blocks until so many answers have come.
    std::vector<Probe::Seen> request_many(std::string_view subject, std::string_view text, std::size_t answers);
    /// Calls the API and returns its answer. An error breaks the rule.
    Json call(std::string_view operation, const Json& body = Json::object());
    /// Calls the API for something that it must refuse, and returns the error's code.
    int refusal(std::string_view operation, const Json& body);

    /// Makes a stream. Default: S with the subjects s.>.
    Json stream(Json config = Json::object());
    Json state(std::string_view stream = "S");
    /// Publishes and returns the acknowledgement.
    Json publish(std::string_view subject, std::string_view text = "x", const Headers& headers = {});
    std::uint64_t stored(std::string_view subject, std::string_view text = "x", const Headers& headers = {});
    int publish_refusal(std::string_view subject, std::string_view text, const Headers& headers);
    /// Returns the bodies of the messages of a stream, in order.
    Texts texts(std::string_view stream = "S");

    /// Makes a consumer. Default: a durable consumer C of the stream S, whose messages are acknowledged one by one.
    Json consumer(Json config = Json::object());
    Json consumer_info(std::string_view name = "C");
    /// Requests messages without waiting for them, and returns the inbox: received() returns what has come.
    std::string pull(Json request, std::string_view consumer = "C");
    /// Requests so many messages and blocks until these have come. Others break the rule.
    std::vector<Probe::Seen> fetch(std::size_t count, std::string_view consumer = "C");
    /// Returns what came to an inbox.
    std::vector<Probe::Seen> received(const std::string& inbox) const;
    /// Counts the messages that came to an inbox, without statuses.
    std::size_t messages(const std::string& inbox) const;
    void wait_for(const std::string& inbox, std::size_t messages);
    void wait_for_answers(const std::string& inbox, std::size_t answers);
    void wait_for_status(const std::string& inbox, int status);
    void settle(const Probe::Seen& message, std::string_view word = "+ACK");
    /// Blocks until the server has everything that was published.
    void flush() { peer_.flush(); }
    void pass(std::chrono::milliseconds time) { environment_.pass(time); }
    bool eventually(const std::function<bool()>& condition) { return environment_.eventually(condition); }
    Peer& peer() noexcept { return peer_; }

private:
    std::string inbox();

    Environment& environment_;
    Peer peer_;
    // One inbox for each request: a delivery has the subject of the stored message, which does not say whose it is.
    std::map<std::string, Probe*, std::less<>> inboxes_ = {};
};

Texts texts_of(const std::vector<Probe::Seen>& seen);
/// Returns the metadata of a delivery. Its texts are views into `seen`.
Metadata metadata_of(const Probe::Seen& seen);

// The rules, by topic.
std::vector<Rule> stream_rules();
std::vector<Rule> publish_rules();
std::vector<Rule> consumer_rules();
std::vector<Rule> settlement_rules();

}  // namespace freshet::contract::detail
