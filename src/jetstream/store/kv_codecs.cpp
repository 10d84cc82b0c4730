// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/kv_codecs.hpp"

#include "base/exception_text.hpp"
#include "jetstream/store/store_names.hpp"

namespace freshet::detail {
namespace {

/// Returns what `convert` returns, or the error that it throws.
template <class Convert>
Expected<void> converted(Convert&& convert) {
    try {
        convert();
        return {};
    } catch (...) { return std::unexpected{exception_error()}; }
}

}  // namespace

Expected<std::string_view> KvCodecs::stored_key(std::string_view key, std::string& memory) const {
    if (keys_ != nullptr) {
        if (auto done = converted([&] { memory = keys_->encode(key); }); !done) return std::unexpected{done.error()};
        key = memory;
    }
    if (auto valid = check_key(key); !valid) return std::unexpected{std::move(valid).error()};
    return key;
}

Expected<std::string_view> KvCodecs::stored_filter(std::string_view filter, std::string& memory) const {
    if (keys_ != nullptr) {
        if (auto done = converted([&] { memory = keys_->encode_filter(filter); }); !done)
            return std::unexpected{done.error()};
        filter = memory;
    }
    if (auto valid = check_key_filter(filter); !valid) return std::unexpected{std::move(valid).error()};
    return filter;
}

Expected<Encoded> KvCodecs::stored_value(const Encoded& value, std::string& memory) const {
    if (values_ == nullptr) return value;
    if (auto done = converted([&] { memory = values_->encode(value.body); }); !done)
        return std::unexpected{done.error()};
    return Encoded{as_bytes(memory), value.content_type};
}

void KvCodecs::read(KvRecord& record) const {
    if (!any()) return;
    const auto read = converted([&] {
        const bool has_value = record.has_value && record.operation == kv::Operation::put && record.message;
        auto key = keys_ == nullptr ? record.key : keys_->decode(record.key);
        if (has_value && values_ != nullptr) {
            const auto value = values_->decode(record.message.payload());
            record.message = Message::make(record.message.subject(), as_bytes(value), record.message.headers(),
                                           record.message.reply_to());
        }
        record.key = std::move(key);
    });
    if (!read) record.fault = read.error();
}

Message KvCodecs::read(std::string_view key, const Message& stored, bool has_value) const {
    const auto own = keys_ == nullptr ? std::string{key} : keys_->decode(key);
    const auto value =
        has_value && values_ != nullptr ? values_->decode(stored.payload()) : std::string{as_text(stored.payload())};
    return Message::make(own, as_bytes(value), stored.headers(), stored.reply_to());
}

}  // namespace freshet::detail
