// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/describe.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/detail/handler_shape.hpp>
#include <freshet/subscriber.hpp>

#include "delivery/endpoint.hpp"
#include "describe/schemas.hpp"
#include "link/declarations.hpp"

namespace freshet::detail {

class BrokerCore;

/// Makes a Description of one broker, or of the brokers of a program. It collects what they declare, then gives names
/// in an order that does not depend on that of the declarations.
class DescriptionBuilder {
public:
    /// Adds what a broker declares. Throws Error(Errc::bad_setup, Errc::bad_subject) for what start() would refuse.
    void add(const BrokerCore& broker);
    /// Adds what one subscriber of core NATS declares, which the broker need not have yet.
    void add(const BrokerCore& broker, const SubscriberSpec& spec) { add_subscriber(broker, spec, nullptr, {}); }
    /// Returns the description. Throws Error(Errc::bad_setup) if two different types have one name.
    Description finish();

private:
    using Kind = OperationDescription::Kind;

    /// A message before it has a name.
    struct Body {
        BodyShape shape = {};
        std::vector<Format> formats = {};  // of a body that is JSON, MessagePack or CBOR; the default one first
        std::vector<HeaderDescription> headers = {};
        bool unknown = false;            // somebody reads the message in a way that its types do not tell
        std::string_view own_name = {};  // of a message that freshet itself makes
        bool dead_letter = false;        // it was given up
    };
    struct Reply {
        std::vector<Body> bodies = {};
        bool optional = false;
    };
    /// An operation before it has a name.
    struct Operation {
        Kind kind = Kind::receive;
        std::string address = {};
        std::string bucket = {};
        std::string queue = {};
        About about = {};
        std::vector<Body> bodies = {};
        std::optional<Reply> reply = {};
        std::optional<SourceDescription> source = {};
        std::size_t batch = 0;
        std::vector<std::string> servers = {};
        std::vector<std::size_t> causes = {};  // indices of operations
        std::set<std::string> silent = {};     // types of parameters that say nothing of themselves
        std::string id = {};
        const Endpoint* endpoint = nullptr;  // of a subscriber that is one
    };
    /// What is known of a subject before its channel has a name.
    struct Address {
        std::map<std::string, const TypeShape*, std::less<>> parameters = {};
        std::set<std::string> servers = {};
        std::set<std::string> messages = {};
        std::string bucket = {};
        std::string name = {};
    };
    struct Taken;
    class TakenDescriber;

    void add_services(const BrokerCore& broker);
    std::vector<std::string> add_servers(const BrokerCore& broker);
    void add_subscriber(const BrokerCore& broker, const SubscriberSpec& spec, const Source* source,
                        const std::vector<std::string>& servers);
    void add_receive(Operation receive, const SubscriberSpec& spec, const Taken& taken);
    void add_dead_letters(const Operation& receive, std::size_t cause);
    void add_outgoing(const Declarations::One& one, Format format, const std::vector<std::string>& servers);
    void add_source(const SourceDescription& source, const std::vector<Body>& values);
    /// Returns the answer that says that a request has failed (ADR-32).
    static Body error_answer();
    /// Adds an operation that sends, or joins it with an equal one.
    void add_sending(Operation operation);

    void name_channels();
    void name_operations();
    void describe_operation(const Operation& operation);
    void describe_channel(const std::string& address, const Address& known);
    void describe_buckets();
    void describe_services();
    std::vector<std::string> names_of(const std::vector<Body>& bodies, const std::string& operation);
    std::string name_of(const Body& body, const std::string& operation);
    MessageDescription message_of(const Body& body, const std::string& operation);

    Description result_ = {};
    Schemas schemas_ = {};
    std::vector<Operation> operations_ = {};
    std::map<std::string, Address, std::less<>> addresses_ = {};
    std::map<std::string, StreamDescription> streams_ = {};
    std::map<std::pair<BucketDescription::Kind, std::string>, BucketDescription> buckets_ = {};
    std::map<std::pair<BucketDescription::Kind, std::string>, std::vector<Body>> values_ = {};
    std::map<std::string, MessageDescription> messages_ = {};
    std::map<const ServiceFacts*, ServiceDescription> services_ = {};
    std::set<std::string> unknown_ = {};
};

}  // namespace freshet::detail
