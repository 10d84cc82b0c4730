// SPDX-License-Identifier: Apache-2.0
// The publications of handlers whose messages a stream keeps until they are acknowledged.
#include <utility>

#include <freshet/batch.hpp>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "delivery/confirmations.hpp"
#include "delivery/item_access.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"
#include "subject/plain_subject.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view id_header = "Nats-Msg-Id";

/// Removes and returns the id that the user has given; empty if there is none.
std::string take_id(Headers& headers) {
    const auto given = headers.get(id_header);
    if (!given) return {};
    std::string id{*given};
    headers.erase(id_header);
    return id;
}

}  // namespace

Expected<void> SubscriberCore::publish(Context& context, const Item* item, std::string_view subject,
                                       const Encoded& encoded, const PublishOptions& options) {
    auto& counts = link_->traffic().dynamic();
    if (confirmer_ == nullptr) return link_->publish_counted(counts, subject, encoded, options);
    if (!options.reply_to.empty()) {
        return failure(Errc::bad_setup, "publish to " + quoted(subject) +
                                            ": a stream answers what Context::publish sends, so it has no reply_to; "
                                            "use Broker::publish");
    }
    const auto* const items = context.get<Items>();
    if (items == nullptr) {
        return counts.count(*clock_, [&] {
            return publish_confirmed(context, context.message(), subject, encoded, &options.headers);
        });
    }
    if (!may_publish_on(subject)) return std::unexpected{subject_error(subject, SubjectUse::publish)};
    const auto confirmations = make_confirmations(context);
    Letter letter{.subject = std::string{subject},
                  .body = std::string{as_text(encoded.body)},
                  .content_type = encoded.content_type,
                  .headers = options.headers,
                  .item = item};
    letter.id = take_id(letter.headers);
    if (letter.id.empty())
        letter.id = confirmations->next_id(item != nullptr ? origin_of(item->message()) : origin_of(*items), subject);
    confirmations->keep(std::move(letter));
    return {};
}

Expected<void> SubscriberCore::publish_confirmed(Context& context, const Message& message, std::string_view subject,
                                                 const Encoded& encoded, const Headers* headers) {
    const auto confirmations = make_confirmations(context);
    auto own = headers != nullptr ? *headers : Headers{};
    auto id = take_id(own);
    if (id.empty()) id = confirmations->next_id(origin_of(message), subject);
    confirmations->expect();
    auto sent = confirmer_->publish(subject, encoded, std::move(own), std::move(id), confirmations);
    if (!sent) confirmations->confirm({});  // the caller gets the error, and decides
    return sent;
}

Outcome SubscriberCore::publish_letters(Context& context, const Outcome& outcome) noexcept {
    const auto confirmations = confirmations_of(context);
    if (confirmations == nullptr) return outcome;
    auto letters = confirmations->take_letters();
    // The handler publishes again for the messages that it is given alone.
    if (isolates(context)) {
        std::erase_if(letters, [](const Letter& letter) {
            return letter.item == nullptr || !ItemAccess::decided(*letter.item);
        });
    }
    if (letters.empty()) return outcome;
    auto sent = [&]() -> Expected<void> {
        try {
            return confirmer_->publish_together(letters);
        } catch (...) { return std::unexpected{exception_error()}; }
    }();
    if (sent) return outcome;
    // Nothing is acknowledged of which a result may be lost, whatever the handler said.
    ContextAccess::undecide(context);
    if (const auto* const items = context.get<Items>()) {
        for (std::size_t i = 0; i < items->size(); ++i) {
            auto& decided = ItemAccess::decided((*items)[i]);
            if (decided && decided->kind() != Outcome::Kind::nack) decided.reset();
        }
    }
    return ContextAccess::fail(context, std::move(sent).error());
}

Expected<void> SubscriberCore::await_confirmations(Context& context, TimePoint deadline) {
    const auto confirmations = confirmations_of(context);
    return confirmations == nullptr ? Expected<void>{} : confirmations->wait(*clock_, deadline);
}

}  // namespace freshet::detail
