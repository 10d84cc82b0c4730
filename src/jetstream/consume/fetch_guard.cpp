// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/fetch_guard.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <freshet/metadata.hpp>

#include "link/link.hpp"

namespace freshet::detail {
namespace {

// Between two questions after a loss of the connection, as long as nobody answers.
constexpr std::chrono::milliseconds ask_pause{500};
// For the first answer, which permissions may forbid.
constexpr std::chrono::milliseconds first_patience{1'000};

/// The guards of this program, also those that JetStream objects of their own share.
class Guards {
public:
    std::shared_ptr<FetchGuard> find(const std::shared_ptr<const JsApi>& api, const ConsumerSpec& spec,
                                     const std::string& name) {
        const std::lock_guard lock{mutex_};
        std::erase_if(guards_, [](const auto& one) { return one.second.expired(); });
        auto& known = guards_[{&api->link(), name}];
        if (auto guard = known.lock()) return guard;
        // Asks through an object of its own, since `api` keeps the guard.
        auto guard = std::make_shared<FetchGuard>(std::make_shared<const JsApi>(api->link(), api->options()), spec);
        known = guard;
        return guard;
    }

private:
    std::mutex mutex_ = {};
    std::map<std::pair<const Link*, std::string>, std::weak_ptr<FetchGuard>> guards_ = {};
};

}  // namespace

std::shared_ptr<FetchGuard> FetchGuard::of(const std::shared_ptr<const JsApi>& api, const ConsumerSpec& spec) {
    static Guards guards;
    const auto name = api->subject(spec.stream + '.' + spec.name);
    if (const auto kept = api->kept(name)) return std::static_pointer_cast<FetchGuard>(kept);
    auto guard = guards.find(api, spec, name);
    api->link().watch(guard);
    api->keep(name, guard);
    return guard;
}

FetchGuard::FetchGuard(std::shared_ptr<const JsApi> api, ConsumerSpec spec)
    : api_{std::move(api)}, spec_{std::move(spec)}, acknowledger_{api_->link(), spec_.text()} {}

std::string FetchGuard::operation() const { return fmt::format("CONSUMER.INFO.{}.{}", spec_.stream, spec_.name); }

Acknowledger::Incarnation FetchGuard::note(const std::vector<Message>& messages) {
    bool begins_anew = false;
    std::uint64_t question = 0;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& message : messages) {
            const auto metadata = message.metadata();
            if (!metadata) continue;
            begins_anew = begins_anew || metadata->consumer_sequence <= last_delivery_;
            last_delivery_ = metadata->consumer_sequence;
        }
        if (begins_anew || asked_ == 0) question = ++asked_;
    }
    if (begins_anew) acknowledger_.doubt();
    // Waits longer only where the answer decides whose the messages are.
    const auto patience = begins_anew ? api_->options().timeout : std::min(api_->options().timeout, first_patience);
    if (question != 0) answered(question, api_->call(operation(), what(), {}, patience));
    return acknowledger_.current();
}

void FetchGuard::on_connection(ConnectionChange change) noexcept {
    if (change == ConnectionChange::back) return ask_again();
    const std::lock_guard lock{mutex_};
    if (asked_ != 0) ++asked_;  // an answer that comes now is about the server that is lost
    acknowledger_.doubt();
}

void FetchGuard::ask_again() noexcept {
    std::uint64_t question = 0;
    {
        const std::lock_guard lock{mutex_};
        question = ++asked_;
    }
    ask(question);
}

void FetchGuard::ask(std::uint64_t question) noexcept {
    try {
        api_->call_async(operation(), what(), {}, [weak = weak_from_this(), question](const Expected<Json>& answer) {
            if (const auto self = weak.lock()) self->answered(question, answer);
        });
    } catch (...) { return; }  // no memory: settlements wait until the next loss of the connection
}

void FetchGuard::answered(std::uint64_t question, const Expected<Json>& answer) noexcept {
    const std::lock_guard lock{mutex_};  // until the end: a loss that is told meanwhile comes after found()
    if (question != asked_) return;      // the answer to the next one decides
    const bool gone = !answer && (answer.error().code() == Errc::consumer_not_found ||
                                  answer.error().code() == Errc::stream_not_found);
    const bool in_doubt = acknowledger_.in_doubt();
    auto anew = Acknowledger::Anew::no;
    if (!answer && !gone) {
        // Without an answer, nobody knows whether it is the same consumer.
        if (!in_doubt) return;
        if (!created_.empty()) return ask_later();
        anew = Acknowledger::Anew::yes;
    } else {
        auto created = gone ? std::string{} : field<std::string>(*answer, "created");
        const bool same = created_.empty() ? !in_doubt && !gone : created == created_;
        if (!same) anew = Acknowledger::Anew::yes;
        created_ = std::move(created);
    }
    acknowledger_.found(anew);
}

void FetchGuard::ask_later() noexcept {
    auto& clock = api_->link().clock();
    clock.schedule(clock.now() + ask_pause, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->ask_again();
    });
}

}  // namespace freshet::detail
