// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/broker.hpp>
#include <freshet/detail/service_grammar.hpp>
#include <freshet/router.hpp>
#include <freshet/services.hpp>
#include <freshet/subscriber.hpp>

namespace freshet {

/// What a service is called, and what it says of itself.
struct ServiceOptions {
    /// Name: letters, digits, `-` and `_`. All instances of a service have the same. Needed, unless it is a template
    /// argument.
    std::string name = {};
    /// Semantic version, such as "1.2.0". Needed, unless it is a template argument.
    std::string version = {};
    /// What descriptions and `nats micro info` tell. Default: nothing.
    About about = {};
    /// Anything of yours, for those who look for services. Default: none.
    std::map<std::string, std::string> metadata = {};
    /// Queue group of the endpoints that name none: of all instances, one gets each request. Empty: no group, every
    /// instance gets every request. Default: "q", as services in all languages have it.
    std::string queue = "q";
    /// First tokens of the subjects on which it is found. Others find it only if they use the same. Default: "$SRV".
    std::string prefix = "$SRV";
};

/// Options of a group of endpoints.
struct GroupOptions {
    /// Queue group of the endpoints that name none; empty: no group. Default (none): that of the outer group, or of the
    /// service.
    std::optional<std::string> queue = {};
    /// What descriptions tell of the endpoints that say nothing themselves; tags are added. Default: nothing.
    About about = {};
};

/// Options of an endpoint. Those that a subscriber has, too, mean what SubscriberOptions says.
struct EndpointOptions {
    /// Name of the endpoint: letters, digits, `-` and `_`; no other endpoint of the service has it. Default (empty):
    /// its subject behind the prefix of its group, with `_` for other characters: "calc.add" is "calc_add".
    std::string name = {};
    /// Queue group; empty: no group. Default (none): that of the group, or of the service.
    std::optional<std::string> queue = {};
    std::size_t workers = 0;   ///< number of threads that run the handler; 0 (the default) or 1: one request at a time
    OrderKey ordered_by = {};  ///< keeps the order of requests with one key
    bool dedicated = false;    ///< true: a thread of its own. Default: false
    std::size_t max_pending_messages = 65'536;              ///< requests that may wait; more are dropped
    std::size_t max_pending_bytes = std::size_t{64} << 20;  ///< bytes of requests that may wait. Default: 64 MiB
    OnLost on_lost = OnLost::go_on;                         ///< what a refused subscription means to the broker
    About about = {};                                       ///< what descriptions and `nats micro info` tell
    std::map<std::string, std::string> metadata = {};       ///< anything of yours. Default: none
};

namespace detail {

class GroupNode;
class ServiceNode;

Registry& registry_of(GroupNode& group) noexcept;
/// Returns the declaration of an endpoint; `subject` stands behind the group's prefix.
SubscriberSpec endpoint_spec(const std::shared_ptr<GroupNode>& group, std::string subject, EndpointOptions options);
Layer& layer_of(GroupNode& group, const char* what);
std::shared_ptr<GroupNode> inner_group(const std::shared_ptr<GroupNode>& outer, std::string prefix,
                                       GroupOptions options);

/// A group's prefix that the compiler knows: it checks whole subjects.
template <FixedString Prefix>
struct KnownPrefix {
    template <FixedString Pattern>
    using Subject = StaticSubject<joined<Prefix, Pattern>()>;
    template <FixedString Inner>
    using Within = KnownPrefix<joined<Prefix, Inner>()>;
};
/// A group's prefix that is known only at run time: start() checks the names of parameters.
struct AnyPrefix {
    template <FixedString Pattern>
    using Subject = PrefixedSubject<Pattern>;
    template <FixedString>
    using Within = AnyPrefix;
};

}  // namespace detail

/// Endpoints under a common prefix, and what they share: queue group, middleware, dependencies, error handlers.
/// Declare endpoints and groups from any thread; the other functions before start(). Cheap to copy; copies are one
/// group. Must not outlive its broker.
template <class Prefix>
class ServiceGroup {
public:
    /// Declares an endpoint: a subscriber of a subject behind the prefix, which the compiler checks. `Name` is the
    /// endpoint's name, EndpointOptions::name for one that the compiler checks. Nothing is registered until you call
    /// `.handle(...)` on the result. On a running broker the endpoint starts at once.
    template <FixedString Pattern, FixedString Name = "">
    SubscriberBuilder<typename Prefix::template Subject<Pattern>> endpoint(EndpointOptions options = {}) {
        static_assert(Name.view().empty() || detail::is_service_name(Name.view()),
                      "freshet: the name of an endpoint has other characters than letters, digits, '-' and '_'. See "
                      "docs/services.md#names");
        static_assert(!Name.view().empty() || detail::has_endpoint_name(Pattern.view()),
                      "freshet: an endpoint whose subject has no letters or digits needs a name: "
                      "endpoint<\">\", \"all\">(). See docs/services.md#names");
        if constexpr (!Name.view().empty()) options.name = std::string{Name.view()};
        return {detail::registry_of(*node_),
                detail::endpoint_spec(node_, std::string{Pattern.view()}, std::move(options))};
    }
    /// Declares an endpoint whose subject is known at run time; start() checks it.
    SubscriberBuilder<detail::RuntimeSubject> endpoint(std::string subject, EndpointOptions options = {}) {
        return {detail::registry_of(*node_), detail::endpoint_spec(node_, std::move(subject), std::move(options))};
    }

    /// Returns a group within this one: `calc.group<"calc.admin.">({.queue = "admin"})`. The prefix is put before the
    /// subjects unchanged, so write the dot at its end. It may have parameters.
    template <FixedString Inner>
    ServiceGroup<typename Prefix::template Within<Inner>> group(GroupOptions options = {}) {
        return ServiceGroup<typename Prefix::template Within<Inner>>{
            detail::inner_group(node_, std::string{Inner.view()}, std::move(options))};
    }
    /// Returns a group within this one, whose prefix is known at run time.
    ServiceGroup<detail::AnyPrefix> group(std::string prefix, GroupOptions options = {}) {
        return ServiceGroup<detail::AnyPrefix>{detail::inner_group(node_, std::move(prefix), std::move(options))};
    }

    /// Puts a middleware around the handlers of this group, within those of the broker and of outer groups:
    /// `Outcome(Context&, Next)`. Throws Error(Errc::bad_setup) once endpoints of the group have started.
    template <class F>
    ServiceGroup& use(F&& middleware) {
        detail::add_middleware(detail::layer_of(*node_, "use"), std::forward<F>(middleware));
        return *this;
    }
    /// Puts a middleware around everything that is published, answered and asked while handlers of this group run:
    /// `Expected<void>(Outgoing&, NextPublish)`.
    template <class F>
    ServiceGroup& use_publish(F&& middleware) {
        detail::add_publish_middleware(detail::layer_of(*node_, "use_publish"), std::forward<F>(middleware));
        return *this;
    }
    /// Sets the function that is called when a handler of this group fails with an E; see Broker::on_error.
    template <class E, class F>
        requires(!std::is_integral_v<std::remove_cvref_t<F>>)
    ServiceGroup& on_error(F&& handler) {
        detail::add_error_handler<E, detail::RuntimeSubject>(detail::layer_of(*node_, "on_error"),
                                                             std::forward<F>(handler));
        return *this;
    }
    /// Answers with the error `code` when a handler of this group fails with an E; see Broker::on_error.
    template <class E>
    ServiceGroup& on_error(int code, std::string description = {}) {
        detail::add_error_code<E, detail::RuntimeSubject>(detail::layer_of(*node_, "on_error"), code,
                                                          std::move(description));
        return *this;
    }
    /// Calls a function of Depends before every handler of this group, whether the handler takes its result or not.
    template <auto Function>
    ServiceGroup& depends() {
        detail::add_dependency<Function, detail::RuntimeSubject>(detail::layer_of(*node_, "depends"));
        return *this;
    }

protected:
    template <class>
    friend class ServiceGroup;

    explicit ServiceGroup(std::shared_ptr<detail::GroupNode> node) : node_{std::move(node)} {}

    std::shared_ptr<detail::GroupNode> node_;
};

/// A service of this program (ADR-32): endpoints that answer requests, found by everybody on the bus with `nats micro`,
/// Broker::services, or a client in another language. Endpoints are ordinary subscribers; the service answers pings and
/// questions also while all handlers are busy, from the start of the broker until the last endpoint has stopped. Its
/// answers come from threads of its own, nine for each service. Cheap to copy; copies are one service. Must not outlive
/// its broker. See docs/services.md.
class Service : public ServiceGroup<detail::KnownPrefix<"">> {
public:
    explicit Service(std::shared_ptr<detail::ServiceNode> service);

    const std::string& name() const noexcept;
    const std::string& version() const noexcept;
    /// Returns the id of this instance, which no other has.
    const std::string& id() const noexcept;
    /// Returns what others get when they ask for it. Thread-safe.
    ServiceInfo info() const;
    /// Returns what the endpoints have done. Thread-safe.
    ServiceStats stats() const;
    /// Sets the statistics of all endpoints to 0, and ServiceStats::started to now. Thread-safe.
    void reset();

private:
    std::shared_ptr<detail::ServiceNode> service_;
};

template <FixedString Name, FixedString Version>
Service Broker::service(ServiceOptions options) {
    static_assert(detail::is_service_name(Name.view()),
                  "freshet: the name of a service is empty or has other characters than letters, digits, '-' and '_'. "
                  "See docs/services.md#names");
    static_assert(detail::is_semantic_version(Version.view()),
                  "freshet: the version of a service is not a semantic version, such as 1.2.0. See "
                  "docs/services.md#names");
    options.name = std::string{Name.view()};
    options.version = std::string{Version.view()};
    return service(std::move(options));
}

}  // namespace freshet
