// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/context.hpp>
#include <freshet/message.hpp>

#include "delivery/confirmer.hpp"

namespace freshet::detail {

/// The confirmations that the publications of one delivery still want. The delivery's context keeps the object from the
/// first such publication on. Thread-safe, but for ids, letters and the handler's return, which belong to the handler's
/// thread.
class Confirmations {
public:
    /// Gets null when every publication was confirmed, else the first failure.
    using Told = std::move_only_function<void(const Error* unconfirmed)>;

    /// Returns the id for the next publication to `subject` of the handler of `origin`: the second one to the same
    /// subject has another id than the first.
    std::string next_id(std::string origin, std::string_view subject);
    /// Keeps a publication until the handler has returned.
    void keep(Letter letter) { letters_.push_back(std::move(letter)); }
    std::vector<Letter> take_letters() noexcept { return std::exchange(letters_, {}); }

    /// Is told the message whose handler has returned, while confirmations may still be awaited; must not throw.
    using Returned = std::function<void(const Message& message)>;

    /// Has handler_returned() call `returned`, which outlives the delivery.
    void tell_returned(const Returned& returned) noexcept { returned_ = &returned; }
    /// Tells that the handler of the delivery has returned; its message is settled when the confirmations are there.
    void handler_returned(const Message& message) const {
        if (returned_ != nullptr) (*returned_)(message);
    }

    /// Awaits one confirmation more.
    void expect();
    /// Ends the wait for one confirmation.
    void confirm(Expected<void> result) noexcept;
    /// Calls `told` when no confirmation is awaited: at once, or on the thread of the last confirmation, which it must
    /// not block. The functions are called in the order of these calls.
    void when_known(Told told);
    /// Blocks until no confirmation is awaited. Returns the first failure, or Errc::timeout at `deadline`.
    Expected<void> wait(Clock& clock, TimePoint deadline);

private:
    std::optional<std::size_t> first_published_ = {};  // hash of its origin and subject
    std::vector<std::size_t> published_ = {};          // those of the others
    std::vector<Letter> letters_ = {};
    const Returned* returned_ = nullptr;

    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::size_t awaited_ = 0;
    std::optional<Error> failure_ = {};
    std::vector<Told> told_ = {};
};

/// Returns the confirmations of a delivery; null if its handler has published nothing that is confirmed.
std::shared_ptr<Confirmations> confirmations_of(const Context& context);
/// Returns the confirmations of a delivery, which it gets with the first call.
std::shared_ptr<Confirmations> make_confirmations(Context& context);

/// Returns the text that names a stored message in ids: it differs for a message of another stream of the same name,
/// and for another consumer. Empty if the message was not stored.
std::string origin_of(const Message& message);
/// Returns the text that names a batch.
std::string origin_of(const Items& items);

}  // namespace freshet::detail
