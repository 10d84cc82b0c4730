// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

namespace freshet::detail {

/// What js::AtomicBatch and js::FastBatch have in common. `Sender` is their private half.
template <class Sender>
class MessageBatch {
public:
    MessageBatch(MessageBatch&&) noexcept;
    MessageBatch& operator=(MessageBatch&&) noexcept;

    /// Adds a message. Blocks and throws as the class says; after an error the batch is over.
    template <class T>
    void add(std::string_view subject, const T& value, const js::PublishOptions& options = {}) {
        value_or_raise(try_add(subject, value, options));
    }
    template <class T>
    Expected<void> try_add(std::string_view subject, const T& value, const js::PublishOptions& options = {}) {
        return with_encoded(*link_, value, options.format,
                            [&](const Encoded& encoded) { return add_encoded(subject, encoded, options); });
    }

    /// Ends the batch and blocks until everything is stored. Throws as the class says, and Errc::bad_setup if nothing
    /// was added.
    js::PublishAck commit() { return value_or_raise(try_commit()); }
    Expected<js::PublishAck> try_commit();

    /// Returns how many messages were added.
    std::size_t size() const noexcept;

protected:
    MessageBatch(Link& link, std::unique_ptr<Sender> sender) noexcept;
    ~MessageBatch();

    Expected<void> add_encoded(std::string_view subject, const Encoded& encoded, const js::PublishOptions& options);
    Sender& sender() const noexcept { return *sender_; }

private:
    Link* link_;
    std::unique_ptr<Sender> sender_;
};

}  // namespace freshet::detail
