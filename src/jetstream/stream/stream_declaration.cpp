// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/stream_declaration.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "jetstream/api/settings.hpp"
#include "jetstream/stream/stream_config.hpp"
#include "jetstream/stream/stream_settings.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;

/// Asks the next question when it has the answer to the one before. Lives as long as a question is open.
class StreamDeclaration : public std::enable_shared_from_this<StreamDeclaration> {
public:
    StreamDeclaration(const JsApi& api, StreamWish wish, Answered<Json> done)
        : api_{api},
          wish_{std::move(wish)},
          name_{"stream " + quoted(wish_.stream.name)},
          done_{std::move(done)},
          fresh_(merge_settings(stream_to_json(wish_.fresh), Json::object())) {}

    void run() noexcept {
        guarded([this] { begin(); });
    }

private:
    using Next = void (*)(StreamDeclaration&, Expected<Json>);

    void begin() {
        look_up([](StreamDeclaration& self, Expected<Json> existing) {
            if (existing) return self.adopt(*std::move(existing));
            const bool missing = existing.error().code() == Errc::stream_not_found;
            if (!missing || self.wish_.stream.declare == js::Declare::never) return self.end(std::move(existing));
            self.when_known(stream_settings_with_version(self.fresh_), &StreamDeclaration::create);
        });
    }

    void ask(const std::string& op, const std::string& what, const Json& request, Next next) {
        api_.call_async(op, what, request, [self = shared_from_this(), next](Expected<Json> answer) {
            self->guarded([&] { next(*self, std::move(answer)); });
        });
    }
    void look_up(Next next) { ask("STREAM.INFO." + wish_.stream.name, "look up " + name_, {}, next); }

    /// Goes on with `next` if the server knows these settings, as far as it says so.
    void when_known(std::vector<SettingVersion> versions, void (StreamDeclaration::*next)()) {
        versions_ = std::move(versions);
        if (std::ranges::all_of(versions_, [](const auto& setting) { return setting.version == "2.10"; }))
            return (this->*next)();
        api_.level_async([self = shared_from_this(), next](const Expected<int>& level) {
            self->guarded([&] {
                if (!level) return self->end(std::unexpected{level.error()});
                if (auto able = check_settings_level(*level, self->versions_, self->name_); !able)
                    return self->end(std::unexpected{able.error()});
                (self.get()->*next)();
            });
        });
    }

    void create() {
        ask("STREAM.CREATE." + wish_.stream.name, "create " + name_, fresh_,
            [](StreamDeclaration& self, Expected<Json> created) {
                // Another client has created it since find().
                if (!created && created.error().code() == Errc::stream_exists) return self.look_up_again();
                if (!created) return self.end(std::move(created));
                auto kept = check_settings_kept(self.versions_, field<Json>(*created, "config"), self.name_);
                if (kept) return self.end(std::move(created));
                if (!field<bool>(*created, "did_create")) return self.end(std::unexpected{kept.error()});
                self.remove(kept.error());
            });
    }
    void look_up_again() {
        look_up([](StreamDeclaration& self, Expected<Json> existing) {
            if (!existing) return self.end(std::move(existing));
            self.adopt(*std::move(existing));
        });
    }
    /// Of a stream that was created without a setting that the server does not know.
    void remove(const Error& why) {
        why_ = why;
        ask("STREAM.DELETE." + wish_.stream.name, "delete " + name_, {},
            [](StreamDeclaration& self, Expected<Json>) { self.end(std::unexpected{*self.why_}); });
    }

    void adopt(Json existing) {
        const auto declare = wish_.stream.declare;
        if (declare == js::Declare::never || declare == js::Declare::create_if_missing) return end(std::move(existing));
        found_ = field<Json>(existing, "config", Json::object());
        wanted_ = wanted_settings(wish_.stream, found_);
        differences_ = compare_settings(wanted_, found_, stream_setting_lines());
        if (differences_.empty()) return end(std::move(existing));
        if (declare == js::Declare::verify) return end(std::unexpected{settings_error(name_, differences_)});
        when_known(stream_settings_with_version(wanted_), &StreamDeclaration::update);
    }

    void update() {
        ask("STREAM.UPDATE." + wish_.stream.name, fmt::format("change {} ({})", name_, detail::describe(differences_)),
            merge_settings(wanted_, found_), [](StreamDeclaration& self, Expected<Json> updated) {
                if (!updated) return self.end(std::move(updated));
                const auto config = field<Json>(*updated, "config", Json::object());
                if (auto kept = check_settings_kept(self.versions_, config, self.name_); !kept)
                    return self.end(std::unexpected{kept.error()});
                // A server may take an update and leave a setting as it is.
                const auto left =
                    compare_settings(wanted_settings(self.wish_.stream, config), config, stream_setting_lines());
                if (!left.empty()) return self.end(std::unexpected{settings_error(self.name_, left)});
                for (const auto& [setting, found, wanted] : self.differences_)
                    self.api_.link().logger().warn("{}: {} was {}, is {} now", self.name_, setting, found, wanted);
                self.end(std::move(updated));
            });
    }

    template <class Step>
    void guarded(Step&& step) noexcept {
        try {
            step();
        } catch (...) { end(std::unexpected{exception_error()}); }
    }
    void end(Expected<Json> result) noexcept {
        if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
    }

    const JsApi& api_;
    const StreamWish wish_;
    const std::string name_;
    Answered<Json> done_;
    const Json fresh_;
    Json wanted_ = {};
    Json found_ = {};
    std::vector<js::Difference> differences_ = {};
    std::vector<SettingVersion> versions_ = {};
    std::optional<Error> why_ = {};
};

/// What servers make of a duplicate_window of 0; those that copy other streams begin without one.
std::int64_t default_window(const Json& wanted, const Json& found) {
    constexpr std::int64_t longest = std::chrono::nanoseconds{std::chrono::minutes{2}}.count();
    const auto age = field<std::int64_t>(wanted.contains("max_age") ? wanted : found, "max_age");
    return age > 0 ? std::min(age, longest) : longest;
}

/// What a server would change without a word.
Expected<void> check_settings_agree(const js::Stream& stream) {
    const bool markers = stream.subject_delete_marker_ttl.value_or(nanoseconds{0}).count() > 0;
    if (!markers || (stream.allow_msg_ttl.value_or(true) && stream.allow_rollup.value_or(true))) return {};
    return failure(
        Errc::bad_setup,
        "stream " + quoted(stream.name) +
            ": subject_delete_marker_ttl needs allow_msg_ttl and allow_rollup; leave them unset, or set them to true");
}

}  // namespace

Json wanted_settings(const js::Stream& wish, const Json& found) {
    auto wanted = stream_to_json(wish);
    for (const char* absent : {"mirror", "sources"})
        if (!wanted.contains(absent)) wanted[absent] = nullptr;
    if (wish.declare == js::Declare::reconcile && !wanted.contains("description")) wanted["description"] = nullptr;
    if (wish.duplicate_window && wish.duplicate_window->count() == 0) {
        if (field<std::int64_t>(found, "duplicate_window") == 0) wanted.erase("duplicate_window");
        else wanted["duplicate_window"] = default_window(wanted, found);
    }
    if (wish.replicas && *wish.replicas == 0) wanted["num_replicas"] = 1;
    return wanted;
}

void declare_stream_async(const JsApi& api, StreamWish wish, Answered<Json> done) {
    if (auto valid = check_js_name("stream", wish.stream.name); !valid) return done(std::unexpected{valid.error()});
    if (auto valid = check_settings_agree(wish.stream); !valid) return done(std::unexpected{valid.error()});
    std::make_shared<StreamDeclaration>(api, std::move(wish), std::move(done))->run();
}

}  // namespace freshet::detail
