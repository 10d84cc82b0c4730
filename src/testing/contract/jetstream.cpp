// SPDX-License-Identifier: Apache-2.0
#include "testing/contract/jetstream.hpp"

#include <algorithm>

namespace freshet::contract::detail {
namespace {

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json parse(const Probe::Seen& answer, std::string_view to) {
    auto json = Json::parse(answer.text, nullptr, false);
    if (!json.is_object())
        throw Violation{fmt::format("the answer to {} is {}, status {}", to, shown(answer.text), answer.status)};
    return json;
}

int code_of(const Json& answer) { return answer.contains("error") ? answer["error"].value("err_code", 0) : 0; }

}  // namespace

JsPeer::JsPeer(Environment& environment) : environment_{environment}, peer_{environment} {}

std::string JsPeer::inbox() {
    auto subject = fmt::format("answers.{}", inboxes_.size() + 1);
    // Subscribes on the lane of replies, so that "no responders" comes here too.
    inboxes_[subject] = &peer_.subscribe({.subject = subject, .lane = Lane::replies});
    return subject;
}

Probe::Seen JsPeer::ask(std::string_view subject, std::string_view text, const Headers& headers) {
    const auto to = inbox();
    peer_.publish(subject, text, to, headers.empty() ? nullptr : &headers);
    wait_for_answers(to, 1);
    return received(to).front();
}

std::vector<Probe::Seen> JsPeer::request_many(std::string_view subject, std::string_view text, std::size_t answers) {
    const auto to = inbox();
    peer_.publish(subject, text, to);
    wait_for_answers(to, answers);
    return received(to);
}

Json JsPeer::call(std::string_view operation, const Json& body) {
    auto answer = parse(ask(fmt::format("$JS.API.{}", operation), dump(body)), operation);
    if (answer.contains("error")) throw Violation{fmt::format("{} is refused: {}", operation, dump(answer["error"]))};
    return answer;
}

int JsPeer::refusal(std::string_view operation, const Json& body) {
    return code_of(parse(ask(fmt::format("$JS.API.{}", operation), dump(body)), operation));
}

Json JsPeer::stream(Json config) {
    if (!config.contains("name")) config["name"] = "S";
    if (!config.contains("subjects") && !config.contains("mirror") && !config.contains("sources"))
        config["subjects"] = {"s.>"};
    if (!config.contains("storage")) config["storage"] = "memory";
    return call(fmt::format("STREAM.CREATE.{}", config["name"].get<std::string>()), config);
}

Json JsPeer::state(std::string_view stream) { return call(fmt::format("STREAM.INFO.{}", stream))["state"]; }

Json JsPeer::publish(std::string_view subject, std::string_view text, const Headers& headers) {
    return parse(ask(subject, text, headers), subject);
}

std::uint64_t JsPeer::stored(std::string_view subject, std::string_view text, const Headers& headers) {
    const auto ack = publish(subject, text, headers);
    if (ack.contains("error")) throw Violation{fmt::format("publishing on {}: {}", subject, dump(ack["error"]))};
    return ack.value("seq", std::uint64_t{0});
}

int JsPeer::publish_refusal(std::string_view subject, std::string_view text, const Headers& headers) {
    return code_of(publish(subject, text, headers));
}

Texts JsPeer::texts(std::string_view stream) {
    Json config{{"ack_policy", "none"}, {"inactive_threshold", 60'000'000'000}, {"mem_storage", true}};
    const auto made = call(fmt::format("CONSUMER.CREATE.{}", stream), {{"stream_name", stream}, {"config", config}});
    const auto name = made["name"].get<std::string>();
    const auto pending = made.value("num_pending", std::size_t{0});
    Texts found;
    if (pending > 0) {
        const auto to = inbox();
        peer_.publish(fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, name),
                      dump({{"batch", pending}, {"no_wait", true}}), to);
        wait_for(to, pending);
        found = texts_of(received(to));
    }
    call(fmt::format("CONSUMER.DELETE.{}.{}", stream, name));
    return found;
}

Json JsPeer::consumer(Json config) {
    if (!config.contains("name")) config["name"] = "C";
    if (!config.contains("ack_policy")) config["ack_policy"] = "explicit";
    if (!config.contains("inactive_threshold")) config["durable_name"] = config["name"];
    return call(fmt::format("CONSUMER.CREATE.S.{}", config["name"].get<std::string>()),
                {{"stream_name", "S"}, {"config", config}, {"action", "create"}});
}

Json JsPeer::consumer_info(std::string_view name) { return call(fmt::format("CONSUMER.INFO.S.{}", name)); }

std::string JsPeer::pull(Json request, std::string_view consumer) {
    const auto to = inbox();
    peer_.publish(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", consumer), dump(request), to);
    flush();
    return to;
}

std::vector<Probe::Seen> JsPeer::fetch(std::size_t count, std::string_view consumer) {
    const auto to = pull({{"batch", count}, {"expires", 5'000'000'000}}, consumer);
    wait_for(to, count);
    return received(to);
}

std::vector<Probe::Seen> JsPeer::received(const std::string& inbox) const { return inboxes_.at(inbox)->seen(); }

void JsPeer::wait_for_answers(const std::string& inbox, std::size_t answers) {
    if (eventually([&] { return received(inbox).size() >= answers; })) return;
    throw Violation{
        fmt::format("{} answers were awaited, and these came: {}", answers, shown(texts_of(received(inbox))))};
}

std::size_t JsPeer::messages(const std::string& inbox) const {
    return static_cast<std::size_t>(std::ranges::count(received(inbox), 0, &Probe::Seen::status));
}

void JsPeer::wait_for(const std::string& inbox, std::size_t messages) {
    if (eventually([&] { return this->messages(inbox) >= messages; })) return;
    throw Violation{
        fmt::format("{} messages were awaited, and these came: {}", messages, shown(texts_of(received(inbox))))};
}

void JsPeer::wait_for_status(const std::string& inbox, int status) {
    const auto has = [&] {
        return std::ranges::any_of(received(inbox), [&](const auto& seen) { return seen.status == status; });
    };
    if (eventually(has)) return;
    std::string came;
    for (const auto& seen : received(inbox)) came += fmt::format(" {}", seen.status);
    throw Violation{fmt::format("no status {} came, but{}", status, came.empty() ? " nothing" : came)};
}

void JsPeer::settle(const Probe::Seen& message, std::string_view word) {
    peer_.publish(message.reply_to, word);
    flush();
}

Texts texts_of(const std::vector<Probe::Seen>& seen) {
    Texts texts;
    for (const auto& one : seen) texts.push_back(one.text);
    return texts;
}

Metadata metadata_of(const Probe::Seen& seen) {
    const auto metadata = parse_ack_subject(seen.reply_to);
    if (!metadata) throw Violation{fmt::format("{} is no subject of acknowledgements", shown(seen.reply_to))};
    return *metadata;
}

}  // namespace freshet::contract::detail

namespace freshet::contract {

std::vector<Rule> jetstream_rules() {
    auto all = detail::stream_rules();
    for (const auto& more : {detail::publish_rules(), detail::consumer_rules(), detail::settlement_rules()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<Verdict> check_jetstream(const std::function<std::unique_ptr<Environment>()>& make) {
    return detail::check_all(jetstream_rules(), make);
}

}  // namespace freshet::contract
