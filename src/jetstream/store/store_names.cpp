// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/store_names.hpp"

#include <algorithm>
#include <string>

#include <freshet/subject_grammar.hpp>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

bool only(std::string_view text, std::string_view more) {
    return std::ranges::all_of(text, [&](char c) {
        return name_characters.contains(c) || more.find(c) != std::string_view::npos;
    });
}

std::unexpected<Error> bad_key(std::string_view what, std::string_view text, std::string_view rule) {
    return failure(Errc::bad_subject, std::string{what} + " " + quoted(text) + " " + std::string{rule});
}

}  // namespace

Expected<void> check_bucket(StoreKind kind, std::string_view bucket) {
    if (!bucket.empty() && only(bucket, "")) return {};
    const std::string_view what = kind == StoreKind::object ? "object store" : "key-value bucket";
    return failure(Errc::bad_setup, std::string{what} + " " + quoted(bucket) +
                                        ": a bucket's name consists of letters, digits, '-' and '_'");
}

Expected<void> check_key(std::string_view key) {
    const auto fault = check_subject(key);
    if (fault == SubjectFault::empty) return bad_key("key", key, "is empty");
    if (fault == SubjectFault::empty_token) return bad_key("key", key, "has an empty token (a '.' at an end, or '..')");
    if (fault == SubjectFault::too_long) return bad_key("key", key, "is longer than 3072 bytes");
    if (!only(key, "./=")) return bad_key("key", key, "has a character that is none of letters, digits and -/_=.");
    return {};
}

Expected<void> check_key_filter(std::string_view filter) {
    if (check_pattern(filter) != SubjectFault::none || !only(filter, "./=*>")) {
        return bad_key("key filter", filter,
                       "is not a key in which a token may be '*', and the last one '>': letters, digits and -/_=.");
    }
    return {};
}

}  // namespace freshet::detail
