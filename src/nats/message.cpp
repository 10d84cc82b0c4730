// SPDX-License-Identifier: Apache-2.0
#include <freshet/message.hpp>

#include <cstdlib>
#include <limits>
#include <memory>

#include <freshet/text.hpp>

#include "nats/c_string.hpp"
#include "nats/handle.hpp"
#include "nats/library.hpp"
#include "nats/status.hpp"

namespace freshet {

using detail::nats::CString;

namespace {

struct Free {
    void operator()(const char** list) const noexcept { std::free(list); }
};
using NativeList = std::unique_ptr<const char*[], Free>;

void require_ok(natsStatus status, const char* what) {
    if (status != NATS_OK) raise(detail::nats::to_error(status, what));
}

}  // namespace

Message::Message(__natsMsg* native) noexcept
    : native_{native},
      subject_{natsMsg_GetSubject(native)},
      reply_{natsMsg_GetReply(native)},
      // Looks at the length, not at the pointer: from cnats 3.14 on an empty payload has a null pointer.
      payload_{reinterpret_cast<const std::byte*>(natsMsg_GetData(native)),
               static_cast<std::size_t>(natsMsg_GetDataLength(native))} {}

Message Message::make(std::string_view subject, Bytes payload, const Headers& headers, std::string_view reply_to) {
    if (subject.empty()) raise({Errc::bad_subject, "cannot make a message with an empty subject"});
    if (payload.size() > std::numeric_limits<int>::max()) {
        raise({Errc::payload_too_large, "cannot make a message with a payload of " + std::to_string(payload.size()) +
                                            " bytes; the most is 2147483647"});
    }
    detail::nats::open_library();  // freeing a message needs the library
    detail::nats::MessageHandle message;
    require_ok(natsMsg_Create(detail::nats::out(message), CString{subject}.c_str(),
                              reply_to.empty() ? nullptr : CString{reply_to}.c_str(), as_text(payload).data(),
                              static_cast<int>(payload.size())),
               "cannot make a message");
    for (const auto& [name, value] : headers) {
        require_ok(natsMsgHeader_Add(message.get(), name.c_str(), value.c_str()), "cannot add a header to a message");
    }
    return Message{message.release()};
}

std::optional<std::string_view> Message::header(const char* name) const noexcept {
    const char* value = nullptr;
    if (native_ == nullptr || natsMsgHeader_Get(native_, name, &value) != NATS_OK) return std::nullopt;
    return value != nullptr ? std::string_view{value} : std::string_view{};
}

std::optional<std::string_view> Message::header(std::string_view name) const { return header(CString{name}.c_str()); }

std::vector<std::string_view> Message::header_values(std::string_view name) const {
    const char** list = nullptr;
    int count = 0;
    if (native_ == nullptr || natsMsgHeader_Values(native_, CString{name}.c_str(), &list, &count) != NATS_OK) return {};
    const NativeList owned{list};
    return {list, list + count};
}

Headers Message::headers() const {
    const char** list = nullptr;
    int count = 0;
    if (native_ == nullptr || natsMsgHeader_Keys(native_, &list, &count) != NATS_OK) return {};
    const NativeList owned{list};
    Headers copy;
    for (int i = 0; i < count; ++i) {
        for (const auto value : header_values(list[i])) copy.fields_.emplace_back(list[i], value);
    }
    return copy;
}

int Message::status() const {
    const auto text = header("Status").value_or("");  // where cnats puts what the header line says
    return FromText<int>::parse(text).value_or(0);
}

__natsMsg* Message::release() noexcept {
    auto* native = native_;
    native_ = nullptr;
    Message{}.swap(*this);
    return native;
}

}  // namespace freshet
