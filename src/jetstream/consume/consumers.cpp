// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumers.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <freshet/subject.hpp>

#include "base/quoted.hpp"
#include "jetstream/api/rfc3339.hpp"
#include "jetstream/api/settings.hpp"
#include "jetstream/consume/consumer_json.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/consumer_settings.hpp"
#include "jetstream/stream/streams.hpp"

namespace freshet::detail {
namespace {

// As often, at least, does a stream that copies another one acknowledge what it has stored.
constexpr std::chrono::milliseconds source_heartbeat{1'000};

/// Returns the configuration with a single filter written as a list, so that both forms compare as equal.
Json with_filter_list(Json config) {
    const auto one = config.find("filter_subject");
    if (one == config.end()) return config;
    config["filter_subjects"] = Json::array({*one});
    config.erase("filter_subject");
    return config;
}

std::vector<js::Difference> differences(const Json& wanted, const Json& found) {
    return compare_settings(with_filter_list(wanted), with_filter_list(found), consumer_setting_lines());
}

/// Declares one consumer.
class ConsumerDeclaration {
public:
    ConsumerDeclaration(const JsApi& api, const ConsumerSpec& spec) : api_{api}, spec_{spec}, text_{spec.text()} {}

    Expected<Json> run() {
        auto existing = find();
        if (existing) return adopt(*std::move(existing));
        const bool missing = existing.error().code() == Errc::consumer_not_found;
        if (!missing || spec_.declare == js::Declare::never) return existing;
        auto created = create();
        // Another client has created it since find().
        if (!created && created.error().code() == Errc::consumer_exists && (existing = find()))
            return adopt(*std::move(existing));
        return created;
    }

private:
    Expected<Json> find() const {
        return api_.call(consumer_operation("INFO", spec_.stream, spec_.name), "look up " + text_);
    }

    Expected<Json> create() const {
        auto config = spec_.wanted;
        const auto fresh = spec_.fresh ? spec_.fresh() : Json::object();
        for (const auto& [key, value] : fresh.items()) {
            if (value.is_null()) config.erase(key);
            else config[key] = value;
        }
        auto created = send("create", "create " + text_, std::move(config));
        if (!created) return created;
        if (auto kept = check_kept(spec_.wanted, *created); !kept) {
            // It could deliver messages that nobody asked for, for example without its filters.
            std::ignore = api_.call(consumer_operation("DELETE", spec_.stream, spec_.name), "delete " + text_);
            return std::unexpected{kept.error()};
        }
        return created;
    }

    Expected<Json> send(const char* action, const std::string& what, Json config) const {
        if (auto able = check_settings_known(api_, consumer_settings_with_version(config), text_); !able)
            return std::unexpected{able.error()};
        config["name"] = spec_.name;
        const auto op = create_operation(spec_.stream, spec_.name, config);
        return api_.call(op, what, {{"stream_name", spec_.stream}, {"config", config}, {"action", action}});
    }

    Expected<void> check_kept(const Json& sent, const Json& answer) const {
        return check_settings_kept(consumer_settings_with_version(sent), field<Json>(answer, "config"), text_);
    }

    Expected<Json> adopt(Json existing) const {
        if (spec_.declare == js::Declare::never) return existing;
        if (spec_.declare == js::Declare::reconcile) {
            auto paused = pause(std::move(existing));
            if (!paused) return paused;
            existing = *std::move(paused);
        }
        const auto goal = this->goal();
        const auto found = differences(goal, existing["config"]);
        if (found.empty()) return existing;
        if (spec_.declare == js::Declare::verify) return std::unexpected{settings_error(text_, found)};
        if (spec_.declare == js::Declare::reconcile) return update(goal, existing["config"], found);
        api_.link().logger().warn("{} exists and is used as it is, with other settings: {}", text_, describe(found));
        return existing;
    }

    /// Returns the wanted settings without those that servers take only for a new consumer.
    Json changeable() const {
        auto wanted = spec_.wanted;
        for (const auto& line : consumer_setting_lines())
            if (line.traits.at_creation) wanted.erase(std::string{line.key});
        return wanted;
    }

    /// Returns what an existing consumer should have. A setting that the declaration leaves out and that is to go is
    /// null: the filters, which are what the consumer delivers, and with Declare::reconcile whatever has no other value
    /// that means nothing.
    Json goal() const {
        auto wanted = changeable();
        if (!wanted.contains("filter_subject") && !wanted.contains("filter_subjects"))
            wanted["filter_subjects"] = nullptr;
        if (spec_.declare == js::Declare::reconcile) {
            for (const auto& line : consumer_setting_lines()) {
                std::string key{line.key};
                if (line.traits.removable && !wanted.contains(key)) wanted[std::move(key)] = nullptr;
            }
        }
        // Servers take the first time of the backoff for it.
        if (!field<Json>(wanted, "backoff").empty()) wanted.erase("ack_wait");
        return wanted;
    }

    /// Pauses an existing consumer until `pause_until`, which the server ignores in an update.
    Expected<Json> pause(Json existing) const {
        const auto wanted = parse_rfc3339(field<std::string>(spec_.wanted, "pause_until"));
        if (!wanted || *wanted <= std::chrono::system_clock::now()) return existing;
        if (parse_rfc3339(field<std::string>(existing["config"], "pause_until")) == wanted) return existing;
        if (auto able = api_.needs("2.11", "pause_until of " + text_); !able) return std::unexpected{able.error()};
        const auto until = spec_.wanted.at("pause_until");
        auto paused = api_.call(consumer_operation("PAUSE", spec_.stream, spec_.name), "pause " + text_,
                                {{"pause_until", until}});
        if (!paused) return paused;
        api_.link().logger().warn("{}: it is paused until {} now", text_, until.get<std::string>());
        return find();
    }

    Expected<Json> update(const Json& goal, const Json& existing, const std::vector<js::Difference>& found) const {
        auto updated = send("update", fmt::format("change {} ({})", text_, describe(found)), merged(goal, existing));
        if (!updated) return updated;
        if (auto kept = check_kept(goal, *updated); !kept) return std::unexpected{kept.error()};
        // A server may take an update and leave a setting as it is, or set it as the stream's limits say.
        const auto left = differences(goal, field<Json>(*updated, "config", Json::object()));
        const auto is_left = [&](const js::Difference& one) {
            return std::ranges::contains(left, one.setting, &js::Difference::setting);
        };
        const auto refused = [&](const js::Difference& one) {
            return !goal.contains(one.setting) || !goal[one.setting].is_null();
        };
        if (std::ranges::any_of(left, refused)) return std::unexpected{settings_error(text_, left)};
        for (const auto& one : found) {
            if (!is_left(one))
                api_.link().logger().warn("{}: {} was {}, is {} now", text_, one.setting, one.found, one.wanted);
        }
        return updated;
    }

    /// Returns the configuration of an update. The server takes those settings away that it does not have.
    static Json merged(const Json& goal, const Json& existing) {
        auto merged = merge_settings(goal, existing);
        // One form of the filters replaces the other.
        if (goal.contains("filter_subject")) merged.erase("filter_subjects");
        if (goal.contains("filter_subjects")) merged.erase("filter_subject");
        // Settings that the server has made of those that go.
        const auto changes = [&](const char* key) { return goal.contains(key) && existing.contains(key); };
        if (changes("backoff") && !goal.contains("ack_wait")) merged.erase("ack_wait");
        if (changes("priority_policy") && !goal.contains("priority_timeout")) merged.erase("priority_timeout");
        return merged;
    }

    const JsApi& api_;
    const ConsumerSpec& spec_;
    std::string text_;
};

}  // namespace

std::string create_operation(std::string_view stream, std::string_view name, const Json& config) {
    // The subject has the filter, so that permissions can depend on it. A filter with wildcards cannot be published to.
    const auto filter = field<std::string>(config, "filter_subject");
    const bool tells_filter = check_subject(filter) == SubjectFault::none;
    return fmt::format("CONSUMER.CREATE.{}.{}{}{}", stream, name, tells_filter ? "." : "", tells_filter ? filter : "");
}

std::string ConsumerSpec::text() const {
    return "consumer " + detail::quoted(name) + " of stream " + detail::quoted(stream);
}

Expected<Json> declare_consumer(const JsApi& api, const ConsumerSpec& spec) {
    if (auto valid = check_js_name("stream", spec.stream); !valid) return std::unexpected{std::move(valid).error()};
    if (auto valid = check_js_name("consumer", spec.name); !valid) return std::unexpected{std::move(valid).error()};
    auto answer = ConsumerDeclaration{api, spec}.run();
    if (answer && !answer->contains("config"))
        return failure(Errc::bad_payload, "declare " + spec.text() + ": the answer has no configuration");
    return answer;
}

Expected<std::optional<js::StreamInfo>> declare_stream_of(const JsApi& api, const js::StreamRef& stream) {
    if (!stream.stream()) return std::nullopt;
    return declare_stream(api, *stream.stream());
}

std::chrono::nanoseconds ack_wait_of(const Json& config) {
    if (field<std::string>(config, "ack_policy") == "none") return {};
    auto wait = field<std::int64_t>(config, "ack_wait", std::chrono::nanoseconds{std::chrono::seconds{30}}.count());
    for (const auto step : field<std::vector<std::int64_t>>(config, "backoff")) wait = std::min(wait, step);
    return std::chrono::nanoseconds{wait};
}

Json consumer_to_create(const js::ConsumerConfig& config) {
    auto json = consumer_to_json(config);
    if (!config.acks) json["ack_policy"] = "explicit";
    if (config.acks == js::Acks::flow_control) {
        json["flow_control"] = true;
        json["idle_heartbeat"] = std::chrono::nanoseconds{source_heartbeat}.count();
        if (config.max_deliver == 0) json["max_deliver"] = -1;
    }
    return json;
}

Expected<std::vector<js::ConsumerInfo>> list_consumers(const JsApi& api, const std::string& stream) {
    if (auto valid = check_js_name("stream", stream); !valid) return std::unexpected{valid.error()};
    const auto what = "list consumers of stream " + quoted(stream);
    std::vector<js::ConsumerInfo> consumers;
    Expected<void> converted;
    const auto add = [&](Json& element) {
        auto info = to_consumer_info(what, element);
        if (info) consumers.push_back(*std::move(info));
        else converted = std::unexpected{std::move(info).error()};
    };
    if (auto listed = api.list("CONSUMER.LIST." + stream, what, "consumers", {}, add); !listed)
        return std::unexpected{listed.error()};
    if (!converted) return std::unexpected{std::move(converted).error()};
    return consumers;
}

}  // namespace freshet::detail
