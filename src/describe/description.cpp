// SPDX-License-Identifier: Apache-2.0
#include <freshet/describe.hpp>

#include <algorithm>

namespace freshet {
namespace {

template <class T>
const T* find(const std::vector<T>& list, std::string_view name, std::string T::* member) noexcept {
    const auto found = std::ranges::find(list, name, member);
    return found == list.end() ? nullptr : &*found;
}

}  // namespace

const ServerDescription* Description::server(std::string_view name) const noexcept {
    return find(servers, name, &ServerDescription::name);
}
const ChannelDescription* Description::channel(std::string_view name) const noexcept {
    return find(channels, name, &ChannelDescription::name);
}
const OperationDescription* Description::operation(std::string_view id) const noexcept {
    return find(operations, id, &OperationDescription::id);
}
const MessageDescription* Description::message(std::string_view name) const noexcept {
    return find(messages, name, &MessageDescription::name);
}
const SchemaDescription* Description::schema(std::string_view name) const noexcept {
    return find(schemas, name, &SchemaDescription::name);
}
const ServiceDescription* Description::service(std::string_view name) const noexcept {
    return find(services, name, &ServiceDescription::name);
}

const char* to_string(OperationDescription::Kind kind) noexcept {
    switch (kind) {
        case OperationDescription::Kind::receive: return "receive";
        case OperationDescription::Kind::publish: return "publish";
        case OperationDescription::Kind::request: return "request";
        case OperationDescription::Kind::dead_letter: return "dead_letter";
    }
    return "receive";
}

}  // namespace freshet
