// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <freshet/detail/misspelt_option.hpp>
#include <freshet/detail/router_node.hpp>

namespace freshet {

namespace detail {

template <FixedString Prefix, FixedString Rest>
consteval auto joined() {
    constexpr auto prefix = Prefix.view();
    constexpr auto rest = Rest.view();
    char text[prefix.size() + rest.size() + 1] = {};
    for (std::size_t i = 0; i < prefix.size(); ++i) text[i] = prefix[i];
    for (std::size_t i = 0; i < rest.size(); ++i) text[prefix.size() + i] = rest[i];
    return FixedString<prefix.size() + rest.size() + 1>{text};
}

/// A pattern behind a prefix that is known only at run time: the compiler checks the pattern, start() checks the names.
template <FixedString Rest>
struct PrefixedSubject {
    static constexpr std::string_view rest() noexcept { return StaticSubject<Rest>::view(); }
    static constexpr bool has(std::string_view) noexcept { return true; }
    static constexpr bool fills(std::string_view) noexcept { return true; }
};

/// A pattern behind a prefix that the compiler knows: it checks the whole subject.
template <FixedString Prefix, FixedString Rest>
struct WholeSubject : StaticSubject<joined<Prefix, Rest>()> {
    static constexpr bool routed = true;  // other prefixes may come before it
    static constexpr std::string_view rest() noexcept { return Rest.view(); }
};

template <FixedString Prefix, FixedString Rest>
struct RoutedSubject {
    using Type = WholeSubject<Prefix, Rest>;
};
template <FixedString Rest>
struct RoutedSubject<"", Rest> {
    using Type = PrefixedSubject<Rest>;
};

}  // namespace detail

/// Subscribers under a common prefix, and what they share: middleware, dependencies, error handlers, an ack policy. A
/// router may be included in several brokers and routers.
///
///     Router billing{"billing.{tenant}."};            // known at run time: start() checks the names
///     Router<"billing.{tenant}."> billing;            // the compiler checks them, Path<"tenant"> too
///
/// The prefix is put before the subjects of the subscribers unchanged, so write the dot at its end; it is not put
/// before the subjects of publish_to. Once a broker that includes the router has started, a further declaration throws
/// Error(Errc::bad_setup). Cheap to copy; copies are one router. Not thread-safe.
template <FixedString Prefix = "">
class Router : detail::MisspeltOption {
public:
    Router() : Router{std::string{Prefix.view()}, 0} {}
    explicit Router(std::string prefix)
        requires(Prefix.view().empty())
        : Router{std::move(prefix), 0} {}

    /// Declares a subscriber of a subject behind the prefix, which the compiler checks. `handle` returns nothing, since
    /// the subscriber exists only in the brokers that include the router.
    template <FixedString Pattern>
    auto subscriber(SubscriberOptions options = {}) {
        using Whole = typename detail::RoutedSubject<Prefix, Pattern>::Type;
        return make<Whole>(std::string{Whole::rest()}, std::move(options));
    }
    /// Declares a subscriber of a subject behind the prefix that is known at run time; start() reports a subject that
    /// is not valid.
    auto subscriber(std::string subject, SubscriberOptions options = {}) {
        return make<detail::RuntimeSubject>(std::move(subject), std::move(options));
    }
    /// Declares a subscriber of a source other than core NATS, such as `js::Pull{...}`, with a subject that the
    /// compiler checks.
    template <FixedString Pattern, detail::SourceOptions Options>
    auto subscriber(Options options) {
        using Whole = typename detail::RoutedSubject<Prefix, Pattern>::Type;
        return make_sourced<Whole>(std::string{Whole::rest()}, std::move(options));
    }
    /// Declares a subscriber of a source other than core NATS with a subject known at run time, which start() checks.
    template <detail::SourceOptions Options>
    auto subscriber(std::string subject, Options options) {
        return make_sourced<detail::RuntimeSubject>(std::move(subject), std::move(options));
    }
    using MisspeltOption::subscriber;

    /// Puts a middleware around the handlers of this router, within those of the broker or router that includes it:
    /// `Outcome(Context&, Next)`. Of several, the first is the outermost. See docs/middleware.md.
    template <class F>
    Router& use(F&& middleware) {
        detail::add_middleware(node_->layer("use"), std::forward<F>(middleware));
        return *this;
    }
    /// Puts a middleware around everything that is published, answered and asked while the handlers of this router run,
    /// within those of the broker or router that includes it: `Expected<void>(Outgoing&, NextPublish)`.
    template <class F>
    Router& use_publish(F&& middleware) {
        detail::add_publish_middleware(node_->layer("use_publish"), std::forward<F>(middleware));
        return *this;
    }
    /// Sets the function that is called when a handler of this router fails with an E; see Broker::on_error.
    template <class E, class F>
        requires(!std::is_integral_v<std::remove_cvref_t<F>>)
    Router& on_error(F&& handler) {
        detail::add_error_handler<E, detail::RuntimeSubject>(node_->layer("on_error"), std::forward<F>(handler));
        return *this;
    }
    /// Answers with the error `code` when a handler of this router fails with an E; see Broker::on_error.
    template <class E>
    Router& on_error(int code, std::string description = {}) {
        detail::add_error_code<E, detail::RuntimeSubject>(node_->layer("on_error"), code, std::move(description));
        return *this;
    }
    /// Calls a function of Depends before every handler of this router, whether the handler takes its result or not.
    template <auto Function>
    Router& depends() {
        detail::add_dependency<Function, detail::RuntimeSubject>(node_->layer("depends"));
        return *this;
    }
    /// Sets when JetStream messages are acknowledged, for subscribers that set no policy themselves. The policy of the
    /// innermost router counts.
    Router& ack_policy(AckPolicy policy) {
        node_->layer("ack_policy").ack_policy = policy;
        return *this;
    }

    /// Sets what descriptions tell of the subscribers of this router and of the routers in it. A title and a text are
    /// those of subscribers that have none; tags are added to theirs.
    Router& about(About about) {
        node_->layer("about").about = std::move(about);
        return *this;
    }

    /// Puts another router into this one, behind its prefix. Throws Error(Errc::bad_setup) if this router has it
    /// already, or if it has this router in it.
    template <FixedString Inner>
    Router& include(const Router<Inner>& inner) {
        node_->include(inner.node());
        return *this;
    }

    /// Returns a new router within this one, behind its prefix: `auto lines = invoices.router<"{invoice}.line.">()`.
    /// Its subscribers know the parameters of both prefixes, and the compiler checks them; so do not include it
    /// anywhere else.
    template <FixedString Inner>
    auto router() {
        constexpr auto whole = [] {
            if constexpr (Prefix.view().empty()) return FixedString{""};
            else return detail::joined<Prefix, Inner>();
        }();
        Router<whole> inner{std::make_shared<detail::RouterNode>(std::string{Inner.view()})};
        node_->include(inner.node());
        return inner;
    }

    /// Returns the compiled half of the router, for freshet itself.
    const std::shared_ptr<detail::RouterNode>& node() const noexcept { return node_; }

private:
    template <FixedString>
    friend class Router;

    explicit Router(std::shared_ptr<detail::RouterNode> node) : node_{std::move(node)} {}
    Router(std::string prefix, int) : node_{std::make_shared<detail::RouterNode>(std::move(prefix))} {}

    template <class Subject>
    SubscriberBuilder<Subject, false, true> make(std::string subject, SubscriberOptions options) {
        return {*node_, {.subject = std::move(subject), .options = std::move(options)}};
    }
    template <class Subject, class Options>
    SubscriberBuilder<Subject, false, true> make_sourced(std::string subject, Options options) {
        auto make_one = [options = std::move(options)](std::optional<AckPolicy> inherited) {
            auto copy = options;
            if constexpr (requires { copy.ack_policy = inherited; }) {
                if (!copy.ack_policy) copy.ack_policy = inherited;
            }
            return make_source(std::move(copy));
        };
        return {*node_, {.subject = std::move(subject), .make_source = std::move(make_one)}};
    }

    std::shared_ptr<detail::RouterNode> node_;
};

Router(std::string) -> Router<>;
Router(const char*) -> Router<>;

}  // namespace freshet
