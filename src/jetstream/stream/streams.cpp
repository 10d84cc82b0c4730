// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/streams.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "jetstream/api/settings.hpp"
#include "jetstream/stream/stream_config.hpp"
#include "jetstream/stream/stream_settings.hpp"

namespace freshet::detail {
namespace {

/// Declares one stream.
class StreamDeclaration {
public:
    StreamDeclaration(const JsApi& api, const js::Stream& stream)
        : api_{api}, stream_{stream}, name_{"stream " + quoted(stream.name)}, wanted_(stream_to_json(stream)) {}

    Expected<Json> run() {
        auto existing = find();
        if (existing) return settle(*std::move(existing));
        if (existing.error().code() != Errc::stream_not_found || stream_.declare == js::Declare::never) return existing;
        auto created = create();
        // Another client has created it since find().
        if (!created && created.error().code() == Errc::stream_exists && (existing = find()))
            return settle(*std::move(existing));
        return created;
    }

private:
    Expected<Json> find() const { return api_.call("STREAM.INFO." + stream_.name, "look up " + name_); }

    Expected<Json> create() const {
        if (auto able = check_settings_known(api_, versions_, name_); !able) return std::unexpected{able.error()};
        auto created = api_.call("STREAM.CREATE." + stream_.name, "create " + name_, wanted_);
        if (!created) return created;
        if (auto known = check_settings_kept(versions_, field<Json>(*created, "config"), name_); !known) {
            if (field<bool>(*created, "did_create"))
                std::ignore = api_.call("STREAM.DELETE." + stream_.name, "delete " + name_);
            return std::unexpected{known.error()};
        }
        return created;
    }

    Expected<Json> settle(Json existing) const {
        if (stream_.declare == js::Declare::never || stream_.declare == js::Declare::create_if_missing) return existing;
        const auto differences = compare_settings(wanted_, existing["config"], stream_setting_lines());
        if (differences.empty()) return existing;
        if (stream_.declare == js::Declare::verify) return std::unexpected{settings_error(name_, differences)};
        return update(existing, differences);
    }

    Expected<Json> update(const Json& existing, const std::vector<js::Difference>& differences) const {
        if (auto able = check_settings_known(api_, versions_, name_); !able) return std::unexpected{able.error()};
        const auto what = fmt::format("change {} ({})", name_, describe(differences));
        auto updated = api_.call("STREAM.UPDATE." + stream_.name, what, merge_settings(wanted_, existing["config"]));
        if (!updated) return updated;
        if (auto known = check_settings_kept(versions_, field<Json>(*updated, "config"), name_); !known)
            return std::unexpected{known.error()};
        for (const auto& [setting, found, wanted] : differences)
            api_.link().logger().warn("{}: {} was {}, is {} now", name_, setting, found, wanted);
        return updated;
    }

    const JsApi& api_;
    const js::Stream& stream_;
    std::string name_;
    Json wanted_;
    std::vector<SettingVersion> versions_ = settings_with_version(wanted_);
};

Json subject_filter(std::string_view subject) {
    auto request = Json::object();
    if (!subject.empty()) request["subject"] = subject;
    return request;
}

}  // namespace

Expected<js::StreamInfo> to_stream_info(std::string_view what, const Json& answer) {
    try {
        return stream_info_from_json(answer);
    } catch (const Json::exception& error) {
        return failure(Errc::bad_payload, fmt::format("{}: the answer is not as expected: {}", what, error.what()));
    }
}

Expected<js::StreamInfo> declare_stream(const JsApi& api, const js::Stream& stream) {
    if (auto valid = check_js_name("stream", stream.name); !valid) return std::unexpected{std::move(valid).error()};
    auto answer = StreamDeclaration{api, stream}.run();
    if (!answer) return std::unexpected{std::move(answer).error()};
    return to_stream_info("declare stream " + detail::quoted(stream.name), *answer);
}

Expected<std::vector<js::Difference>> stream_differences(const JsApi& api, const js::Stream& stream) {
    if (auto valid = check_js_name("stream", stream.name); !valid) return std::unexpected{std::move(valid).error()};
    const auto existing = api.call("STREAM.INFO." + stream.name, "look up stream " + quoted(stream.name));
    if (!existing) return std::unexpected{existing.error()};
    return compare_settings(stream_to_json(stream), existing->value("config", Json::object()), stream_setting_lines());
}

Expected<std::vector<std::string>> stream_names(const JsApi& api, std::string_view subject) {
    std::vector<std::string> names;
    const auto add = [&](Json& name) {
        if (name.is_string()) names.push_back(name);
    };
    if (auto done = api.list("STREAM.NAMES", "list streams", "streams", subject_filter(subject), add); !done)
        return std::unexpected{std::move(done).error()};
    return names;
}

Expected<std::string> stream_of(const JsApi& api, std::string_view subject) {
    auto names = stream_names(api, subject);
    if (!names) return std::unexpected{std::move(names).error()};
    if (names->empty()) {
        return failure(Errc::stream_not_found,
                       fmt::format("no stream stores {}: create one with this subject", quoted(subject)));
    }
    return std::move(names->front());
}

Expected<std::vector<js::StreamInfo>> list_streams(const JsApi& api, std::string_view subject) {
    std::vector<js::StreamInfo> streams;
    Expected<void> converted;
    const auto add = [&](Json& element) {
        auto info = to_stream_info("list streams", element);
        if (info) streams.push_back(*std::move(info));
        else converted = std::unexpected{std::move(info).error()};
    };
    if (auto done = api.list("STREAM.LIST", "list streams", "streams", subject_filter(subject), add); !done)
        return std::unexpected{std::move(done).error()};
    if (!converted) return std::unexpected{std::move(converted).error()};
    return streams;
}

}  // namespace freshet::detail
