// SPDX-License-Identifier: Apache-2.0
#include "service/service_node.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <freshet/detail/service_grammar.hpp>
#include <freshet/subject.hpp>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "broker/broker_core.hpp"
#include "service/discovery_sink.hpp"
#include "service/endpoint_schemas.hpp"
#include "service/group_node.hpp"

namespace freshet::detail {
namespace {

// What INFO repeats must fit into one message: of one endpoint, and of all.
constexpr std::size_t most_of_endpoint = std::size_t{16} << 10;
constexpr std::size_t most_of_service = std::size_t{256} << 10;

/// Returns SHA-256 as hexadecimal digits.
std::string hash_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        raise({Errc::bad_setup, "service: OpenSSL offers no SHA-256, which schemas of more than 16 kB need"});
    std::string hash;
    for (unsigned int i = 0; i < size; ++i) hash += fmt::format("{:02x}", digest[i]);
    return hash;
}

/// Returns the time with the precision that messages have.
std::chrono::system_clock::time_point exact_now() {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// Returns a subject as it is on the wire, unchanged if it is not valid.
std::string wire_of(const std::string& subject) {
    const auto parsed = Subject::parse(subject);
    return parsed ? std::string{parsed->wire()} : subject;
}

}  // namespace

std::shared_ptr<ServiceNode> ServiceNode::make(BrokerCore& core, ServiceOptions options) {
    auto queue = std::move(options.queue);
    auto made = std::make_shared<ServiceNode>(core, std::move(options));
    made->root_ = std::make_shared<GroupNode>(made, std::move(queue));
    return made;
}

ServiceNode::ServiceNode(BrokerCore& core, ServiceOptions options)
    : core_{core},
      facts_{std::move(options.name), std::move(options.version), std::move(options.about),
             std::move(options.metadata)},
      prefix_{std::move(options.prefix)},
      id_{random_id()},
      started_{exact_now()} {}

ServiceNode::~ServiceNode() = default;

std::shared_ptr<CountedEndpoint> ServiceNode::endpoint(std::string name, CountedEndpoint::Metadata metadata) {
    return std::make_shared<CountedEndpoint>(shared_from_this(), facts_, std::move(name), std::move(metadata));
}

void ServiceNode::enter(CountedEndpoint& endpoint, const SubscriberSpec& spec) {
    for (const auto& other : endpoints()) {
        if (other.endpoint->name() != endpoint.name()) continue;
        endpoint.add_problem("the endpoint of " + quoted(other.subscriber->spec().subject) +
                             " has its name as an endpoint, " + quoted(endpoint.name()) +
                             ": set EndpointOptions::name");
    }
    const auto& about = spec.options.about;
    if (!about.text.empty() || !about.title.empty())
        endpoint.tell("description", about.text.empty() ? about.title : about.text);
    if (about.deprecated) endpoint.tell("freshet.deprecated", "true");
    if (wire_of(spec.subject) != spec.subject) endpoint.tell("freshet.subject", spec.subject);
    auto schemas = schemas_of(core_, spec);
    if (!schemas.problem.empty()) endpoint.add_problem(std::move(schemas.problem));
    if (!schemas.content_type.empty()) endpoint.tell("content-type", std::move(schemas.content_type));
    const std::lock_guard lock{mutex_};
    const auto size = schemas.request.size() + schemas.response.size();
    const bool apart = size > most_of_endpoint || told_bytes_ + size > most_of_service;
    if (!apart) told_bytes_ += size;
    tell_schema(endpoint, "freshet.request_schema", std::move(schemas.request), apart);
    tell_schema(endpoint, "freshet.response_schema", std::move(schemas.response), apart);
}

/// Call it with the lock held.
void ServiceNode::tell_schema(CountedEndpoint& endpoint, const std::string& key, std::string schema, bool apart) {
    if (schema.empty()) return;
    if (!apart) return endpoint.tell(key, std::move(schema));
    auto hash = hash_of(schema);
    apart_.emplace(hash, std::move(schema));
    endpoint.tell(key + "_sha256", std::move(hash));
}

std::string ServiceNode::schema_with(std::string_view hash) const {
    const std::lock_guard lock{mutex_};
    const auto found = apart_.find(std::string{hash});
    if (found == apart_.end()) throw RemoteError{404, "no schema has this hash"};
    return found->second;
}

void ServiceNode::offer_schemas() {
    {
        const std::lock_guard lock{mutex_};
        if (apart_.empty() || std::exchange(schemas_offered_, true)) return;
    }
    SubscriberBuilder<RuntimeSubject>{
        *root_, root_->spec("freshet.schemas." + facts_.name + '.' + id_,
                            {.name = "freshet-schemas",
                             .queue = "",
                             .about = {.text = "Returns the schema whose SHA-256 the request has"}})}
        .handle([service = shared_from_this()](std::string_view hash) { return service->schema_with(hash); });
}

std::vector<ServiceNode::Live> ServiceNode::endpoints() const {
    std::vector<Live> found;
    for (auto& subscriber : core_.subscribers()) {
        const auto* const endpoint = subscriber->spec().endpoint.get();
        if (endpoint == nullptr || &endpoint->service() != &facts_ || subscriber->finished()) continue;
        found.push_back({std::move(subscriber), static_cast<const CountedEndpoint*>(endpoint)});
    }
    return found;
}

ServiceInfo ServiceNode::info() const {
    const auto& about = facts_.about;
    ServiceInfo info{.service = identity(), .description = about.text.empty() ? about.title : about.text};
    for (const auto& [subscriber, endpoint] : endpoints()) {
        const auto& spec = subscriber->spec();
        info.endpoints.push_back({endpoint->name(), wire_of(spec.subject), spec.options.queue, endpoint->told()});
    }
    return info;
}

ServiceStats ServiceNode::stats() const {
    ServiceStats stats{.service = identity()};
    for (const auto& [subscriber, endpoint] : endpoints()) {
        const auto& spec = subscriber->spec();
        auto& one = stats.endpoints.emplace_back();
        one.name = endpoint->name();
        one.subject = wire_of(spec.subject);
        one.queue_group = spec.options.queue;
        endpoint->count_into(one);
        const auto own = subscriber->stats();
        one.data = Json{{"pending", own.pending}, {"dropped", own.dropped}}.dump();
    }
    const std::lock_guard lock{mutex_};
    stats.started = started_;
    return stats;
}

void ServiceNode::reset() {
    for (const auto& subscriber : core_.subscribers()) {
        auto* const endpoint = subscriber->spec().endpoint.get();
        if (endpoint != nullptr && &endpoint->service() == &facts_) static_cast<CountedEndpoint*>(endpoint)->reset();
    }
    const std::lock_guard lock{mutex_};
    started_ = exact_now();
}

std::string ServiceNode::text_for(Question question) const {
    switch (question) {
        case Question::ping: return text_of(identity());
        case Question::info: return text_of(info());
        case Question::stats: return text_of(stats());
    }
    return {};
}

void ServiceNode::answer(Question question, const Message& message) noexcept {
    auto& link = core_.link();
    if (message.reply_to().empty() || !link.is_open()) return;
    const auto report = [&](const Error& why) {
        link.report(FailureLog::Kind::not_answered, "cannot answer a question on " + quoted(message.subject()), why);
    };
    try {
        const auto text = text_for(question);
        // Past the middleware: it is for what the program sends, and may change bodies.
        const auto sent =
            link.transport().publish({.subject = message.reply_to(), .payload = as_bytes(text), .flush = Flush::now});
        if (!sent) report(sent.error());
    } catch (...) { report(exception_error()); }
}

void ServiceNode::check(std::vector<std::string>& problems) const {
    const auto add = [&](const std::string& what) {
        problems.push_back("service " + quoted(facts_.name) + ": " + what);
    };
    if (!is_service_name(facts_.name)) add("its name has letters, digits, '-' and '_', at least one");
    if (!is_semantic_version(facts_.version))
        add("its version is " + quoted(facts_.version) + "; use a semantic version, such as 1.2.0");
    if (check_subject(prefix_) != SubjectFault::none)
        add("its prefix is " + quoted(prefix_) + "; use tokens with dots between them, such as $SRV");
    for (const auto& [key, value] : facts_.metadata)
        if (key.starts_with("_nats")) add("its metadata has the key " + quoted(key) + ", which is reserved");
}

Expected<void> ServiceNode::start() {
    {
        const std::lock_guard lock{mutex_};
        if (stopped_) return {};
        started_ = exact_now();
    }
    for (const auto question : {Question::ping, Question::info, Question::stats}) {
        for (auto& subject : {question_subject(prefix_, question), question_subject(prefix_, question, facts_.name),
                              question_subject(prefix_, question, facts_.name, id_)}) {
            if (auto subscribed = subscribe(question, subject); !subscribed) {
                stop();
                return subscribed;
            }
        }
    }
    return {};
}

Expected<void> ServiceNode::subscribe(Question question, std::string subject) {
    auto sink = std::make_shared<DiscoverySink>(shared_from_this(), question, subject);
    // An inbox's lane: there each subscription has a thread of its own, which no handler can hold up.
    const SubscriptionSpec spec{.subject = std::move(subject), .lane = freshet::Lane::replies};
    auto subscription = core_.link().transport().subscribe(spec, sink);
    if (!subscription) return std::unexpected{std::move(subscription).error()};
    const std::lock_guard lock{mutex_};
    if (!stopped_) discoveries_.push_back({std::move(sink), *std::move(subscription)});
    return {};
}

std::optional<Error> ServiceNode::refusal() const {
    const std::lock_guard lock{mutex_};
    for (const auto& one : discoveries_)
        if (auto refused = one.subscription->refusal()) return refused;
    return std::nullopt;
}

std::vector<Health::Lost> ServiceNode::lost() const {
    std::vector<Health::Lost> all;
    const std::lock_guard lock{mutex_};
    for (const auto& one : discoveries_)
        if (auto why = one.sink->lost()) all.push_back({one.sink->subject(), *std::move(why)});
    return all;
}

void ServiceNode::stop() noexcept {
    std::vector<Discovery> ended;  // ended without the lock, which answers take
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    ended.swap(discoveries_);
}

}  // namespace freshet::detail
