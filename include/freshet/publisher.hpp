// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/coded.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/options.hpp>
#include <freshet/subject_template.hpp>

namespace freshet {

/// Publishes values of one type to one subject. Cheap to copy; usable as long as its broker lives. Thread-safe. Target
/// is the subject's template, or empty if the subject is known only at run time; C the codec of codec(), or void.
template <class T, FixedString Target = "", class C = void>
class Publisher {
    static constexpr bool checked = !Target.view().empty();

public:
    Publisher(detail::Link& link, SubjectTemplate subject, PublishOptions options)
        : link_{&link},
          counts_{&detail::publish_counts(link, subject.pattern())},
          subject_{std::move(subject)},
          options_{std::move(options)} {}

    /// Returns a publisher whose values are written by the codec C instead of that of their type: a class with `static
    /// void encode(const T&, Buffer&)`, and `static constexpr std::string_view content_type` if it is to be sent. See
    /// also InFormat.
    template <class Chosen>
    Publisher<T, Target, Chosen> codec() const {
        static_assert(
            detail::EncodesWith<Chosen, T>,
            "freshet: this codec cannot write what the publisher publishes: it needs static void encode(const "
            "T&, freshet::Buffer&). See docs/codecs.md#a-codec-for-one-subscriber-or-publisher");
        detail::redeclare_outgoing(*link_, subject_.pattern(), detail::publisher_shape<T>,
                                   detail::publisher_shape<detail::Coded<Chosen, T>>);
        return {*link_, subject_, options_};
    }

    /// Publishes `value`; `tokens` fill the subject's `{parameters}` in their order. Copies the message into the
    /// connection's buffer and returns; blocks only while that buffer is full, for BrokerOptions::write_timeout at
    /// most, or while a reconnect is being tried, for connect_timeout at most. May be called inside handlers. Throws
    /// Error: Condition::disconnected when the broker is closed, the connection broke or the reconnect buffer is full;
    /// Condition::bad_payload when the value cannot be encoded or is too large; Errc::bad_subject for a token that is
    /// empty or has dots, spaces or wildcards.
    template <class... Tokens>
    void publish(const T& value, const Tokens&... tokens) const {
        value_or_raise(try_publish(value, tokens...));
    }

    /// Publishes as publish() does, but returns the Error instead of throwing it.
    template <class... Tokens>
    Expected<void> try_publish(const T& value, const Tokens&... tokens) const {
        return try_publish(options_, value, tokens...);
    }

    /// Publishes as publish() does, with `options` for this message instead of the publisher's own.
    template <class... Tokens>
    void publish(const PublishOptions& options, const T& value, const Tokens&... tokens) const {
        value_or_raise(try_publish(options, value, tokens...));
    }

    /// Publishes with `options` instead of the publisher's own, and returns the Error instead of throwing it.
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
        const auto publish = [&](const auto& body) {
            return detail::publish_value(*link_, *counts_, subject->text(), body, options);
        };
        if constexpr (std::is_void_v<C>) return publish(value);
        else return publish(coded<C>(value));
    }

private:
    detail::Link* link_;
    detail::PublishCounts* counts_;  // of link_
    SubjectTemplate subject_;
    PublishOptions options_;
};

}  // namespace freshet
