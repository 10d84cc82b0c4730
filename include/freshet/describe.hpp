// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/broker.hpp>
#include <freshet/codec.hpp>
#include <freshet/source_description.hpp>

// What a service says of itself, as plain values that compare. Schemas are JSON Schema (draft-07), compact, with sorted
// keys; a reference to a named type is {"$ref":"#/definitions/NAME"}, and Description::schemas has that NAME. Lists are
// sorted by their names, so that a description does not depend on the order of declarations.
namespace freshet {

/// A server that a broker connects to; it has no credentials.
struct ServerDescription {
    std::string name = {};             ///< of the server within the description
    std::string protocol = {};         ///< "nats", or "tls" if TLS is required
    std::string host = {};             ///< host and port
    std::string connection_name = {};  ///< BrokerOptions::name

    friend bool operator==(const ServerDescription&, const ServerDescription&) = default;
};

/// A named type.
struct SchemaDescription {
    std::string name = {};
    std::string schema = {};  ///< JSON Schema

    friend bool operator==(const SchemaDescription&, const SchemaDescription&) = default;
};

/// A `{name}` of a subject.
struct ParameterDescription {
    std::string name = {};
    std::string schema = {};                ///< JSON Schema of the token, as the value that it is parsed to
    std::vector<std::string> allowed = {};  ///< the tokens that are accepted; empty: not limited to some

    friend bool operator==(const ParameterDescription&, const ParameterDescription&) = default;
};

/// A header that a message has.
struct HeaderDescription {
    std::string name = {};
    std::string schema = {};  ///< JSON Schema of the value
    bool required = true;     ///< false: it may be absent

    friend bool operator==(const HeaderDescription&, const HeaderDescription&) = default;
};

/// A kind of message.
struct MessageDescription {
    enum class Body : std::uint8_t {
        none,     ///< there is no body
        typed,    ///< `schema` says what it is
        unknown,  ///< bytes, or a type of which nobody has said what it is
    };

    std::string name = {};                        ///< of the message within the description
    std::string type = {};                        ///< wire name of the C++ type, as in Description::schemas
    Body body = Body::none;                       ///< whether there is a body, and how much is known of it
    std::string schema = {};                      ///< of the body: JSON Schema, or a text in `schema_format`
    std::string schema_format = {};               ///< empty: JSON Schema
    std::vector<std::string> content_types = {};  ///< those that are accepted or sent, the default one first
    std::vector<HeaderDescription> headers = {};  ///< that are read, or that matter for an answer
    std::vector<std::string> examples = {};       ///< bodies, as JSON

    friend bool operator==(const MessageDescription&, const MessageDescription&) = default;
};

/// A subject, with all messages that travel on it.
struct ChannelDescription {
    std::string name = {};                              ///< of the channel within the description
    std::string address = {};                           ///< the subject as it was declared: `orders.{region}.created`
    std::string subject = {};                           ///< the subject on the wire: `orders.*.created`
    std::vector<ParameterDescription> parameters = {};  ///< in the order of the subject
    std::vector<std::string> servers = {};              ///< names of servers
    std::vector<std::string> messages = {};             ///< names of messages
    std::string bucket = {};                            ///< the bucket whose changes these are; empty: none

    friend bool operator==(const ChannelDescription&, const ChannelDescription&) = default;
};

/// The answer to a request.
struct ReplyDescription {
    std::vector<std::string> messages = {};  ///< names of messages, the error among them
    bool optional = false;                   ///< the handler may decide to answer nothing

    friend bool operator==(const ReplyDescription&, const ReplyDescription&) = default;
};

/// Something that the service does on a channel.
struct OperationDescription {
    enum class Kind : std::uint8_t {
        receive,      ///< a subscriber handles messages
        publish,      ///< a publisher, or results of handlers
        request,      ///< a remote function asks somebody else
        dead_letter,  ///< messages that a subscriber has given up
    };

    std::string id = {};  ///< such as `receive_orders_region_created`
    Kind kind = Kind::receive;
    std::string channel = {};  ///< name of the channel
    About about = {};
    std::string queue = {};                        ///< queue group; empty: none
    std::vector<std::string> messages = {};        ///< names of messages
    std::optional<ReplyDescription> reply = {};    ///< the answer, if there may be one
    std::optional<SourceDescription> source = {};  ///< where a subscriber's messages come from
    std::size_t batch = 0;                         ///< most messages that the handler gets at once; 0: one by one
    std::vector<std::string> caused_by = {};       ///< ids of the operations whose handlers send this

    friend bool operator==(const OperationDescription&, const OperationDescription&) = default;
};

/// A stream that the service reads, or that it declares.
struct StreamDescription {
    std::string name = {};
    std::vector<std::string> subjects = {};  ///< empty if the program does not declare it
    std::string settings = {};               ///< JSON as the server's API has it, with what the program sets

    friend bool operator==(const StreamDescription&, const StreamDescription&) = default;
};

/// A bucket that the service uses.
struct BucketDescription {
    enum class Kind : std::uint8_t { key_value, object_store };

    std::string name = {};
    Kind kind = Kind::key_value;
    std::string settings = {};               ///< of its stream, see StreamDescription::settings
    std::vector<std::string> messages = {};  ///< names of the messages that its values are

    friend bool operator==(const BucketDescription&, const BucketDescription&) = default;
};

/// An endpoint of a service.
struct EndpointDescription {
    std::string name = {};
    std::string operation = {};                        ///< id of the operation that receives its requests
    std::map<std::string, std::string> metadata = {};  ///< what the program says of it

    friend bool operator==(const EndpointDescription&, const EndpointDescription&) = default;
};

/// A service under which others find some of the operations: see docs/services.md.
struct ServiceDescription {
    std::string name = {};
    std::string version = {};
    About about = {};
    std::map<std::string, std::string> metadata = {};
    std::vector<EndpointDescription> endpoints = {};  ///< sorted by name

    friend bool operator==(const ServiceDescription&, const ServiceDescription&) = default;
};

/// A service or a whole program, as data: see Broker::describe, App::describe, docs/describe.md.
struct Description {
    std::string title = {};    ///< BrokerOptions::about, else its name, else the program's name
    std::string version = {};  ///< of the program; empty: it does not say
    std::string text = {};
    std::vector<std::string> tags = {};
    std::vector<ServerDescription> servers = {};
    std::vector<ChannelDescription> channels = {};
    std::vector<OperationDescription> operations = {};
    std::vector<MessageDescription> messages = {};
    std::vector<SchemaDescription> schemas = {};
    std::vector<StreamDescription> streams = {};
    std::vector<BucketDescription> buckets = {};
    std::vector<ServiceDescription> services = {};
    /// What no schema is known of, such as `message "orders.raw": a body of bytes`, for tests that demand none.
    /// Handlers that take a Message or bytes, types with another library's conversions, extractors without `describe`.
    std::vector<std::string> unknown = {};

    /// Returns what no schema is known of: `unknown`.
    const std::vector<std::string>& without_schema() const noexcept { return unknown; }

    /// Return the part with this name, or id; null if there is none.
    const ServerDescription* server(std::string_view name) const noexcept;
    const ChannelDescription* channel(std::string_view name) const noexcept;
    const OperationDescription* operation(std::string_view id) const noexcept;
    const MessageDescription* message(std::string_view name) const noexcept;
    const SchemaDescription* schema(std::string_view name) const noexcept;
    const ServiceDescription* service(std::string_view name) const noexcept;

    friend bool operator==(const Description&, const Description&) = default;
};

/// Returns "receive", "publish", "request" or "dead_letter".
const char* to_string(OperationDescription::Kind kind) noexcept;

namespace detail {
std::string schema_text(const TypeShape& type);
}

/// Returns the JSON Schema (draft-07) of a type with a codec, complete in itself: named types are in `definitions`.
/// Throws Error(Errc::bad_setup) if two different types in it have one name.
template <class T>
std::string schema_of() {
    return detail::schema_text(detail::shape<T>);
}

}  // namespace freshet
