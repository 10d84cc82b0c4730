// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/options.hpp>
#include <freshet/subject_template.hpp>

namespace freshet {

/// Publishes one type to one subject. Cheap to copy; usable as long as its broker lives. Thread-safe.
/// Target is the subject's template, or empty if it is known only at run time.
template <class T, FixedString Target = "">
class Publisher {
    static constexpr bool checked = !Target.view().empty();

public:
    Publisher(detail::Link& link, SubjectTemplate subject, PublishOptions options)
        : link_{&link}, subject_{std::move(subject)}, options_{std::move(options)} {}

    /// Publishes `value`; `tokens` fill the subject's `{parameters}` in their order. Copies the message into the connection's
    /// buffer and returns; blocks only while that buffer is full. Throws Error: Condition::disconnected when the broker is
    /// closed or the reconnect buffer full, Condition::bad_payload when too large, Errc::bad_subject for a token that is empty or
    /// has dots, spaces or wildcards.
    template <class... Tokens>
    void publish(const T& value, const Tokens&... tokens) const {
        value_or_raise(try_publish(value, tokens...));
    }

    /// Like publish, the error as a value.
    template <class... Tokens>
    Expected<void> try_publish(const T& value, const Tokens&... tokens) const {
        return try_publish(options_, value, tokens...);
    }

    /// Like publish, with options of its own for this message.
    template <class... Tokens>
    void publish(const PublishOptions& options, const T& value, const Tokens&... tokens) const {
        value_or_raise(try_publish(options, value, tokens...));
    }

    template <class... Tokens>
    Expected<void> try_publish(const PublishOptions& options, const T& value, const Tokens&... tokens) const {
        if constexpr (checked) {
            static_assert(
                sizeof...(Tokens) == StaticTemplate<Target>::parameter_count,
                "freshet: publish takes the value and one token for each {parameter} of the publisher's subject. See "
                "docs/publishing.md#publishers");
        }
        const detail::BufferLease subject;
        if (auto formatted = subject_.format_values(subject->string(), tokens...); !formatted) return formatted;
        return detail::publish_value(*link_, subject->text(), value, options);
    }

private:
    detail::Link* link_;
    SubjectTemplate subject_;
    PublishOptions options_;
};

}  // namespace freshet
