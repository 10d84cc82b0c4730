// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/batch.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/detail/codec_call.hpp>
#include <freshet/detail/filtered.hpp>
#include <freshet/detail/layer.hpp>
#include <freshet/detail/source.hpp>
#include <freshet/detail/typed_handler.hpp>
#include <freshet/message_stream.hpp>
#include <freshet/on_lost.hpp>
#include <freshet/stats.hpp>
#include <freshet/subject_template.hpp>

namespace freshet {

/// Chooses which messages stay in order when several threads handle them: messages with one key are handled one after
/// the other.
class OrderKey {
public:
    OrderKey() = default;
    /// Uses the token of a `{name}` of the subject as the key.
    OrderKey(const char* path_name) : path_{path_name} {}
    /// Uses the token of a `{name}` of the subject as the key.
    OrderKey(std::string path_name) : path_{std::move(path_name)} {}
    /// Uses a function of the message as the key, such as a hash of a header. A message for which it throws is
    /// rejected.
    template <class F>
        requires std::is_invocable_r_v<std::size_t, F&, const Message&>
    OrderKey(F function) : function_{std::move(function)} {}

    /// Returns true if a key was given.
    bool set() const noexcept { return !path_.empty() || function_ != nullptr; }
    const std::string& path() const noexcept { return path_; }
    const std::function<std::size_t(const Message&)>& function() const noexcept { return function_; }

private:
    std::string path_ = {};
    std::function<std::size_t(const Message&)> function_ = {};
};

/// Options of a core NATS subscriber.
struct SubscriberOptions {
    /// Queue group: the server gives each message to one member of the group. Default (empty): no group, every
    /// subscriber gets every message.
    std::string queue = {};
    /// Number of threads that run the handler at the same time. 0 (the default) or 1: one message at a time, in order.
    /// With more, the order is lost unless `ordered_by` is set, and the handler must be thread-safe.
    std::size_t workers = 0;
    /// Keeps the order of messages with one key while `workers` run in parallel: the name of a path parameter, or a
    /// function. Default: none.
    OrderKey ordered_by = {};
    /// True: a thread of its own, for a handler that blocks for long. Without it (and without workers) the subscriber
    /// shares the delivery threads, and a handler that blocks delays other subscribers. Default: false.
    bool dedicated = false;
    /// Number of messages that may wait for the handler. Messages beyond it are dropped, counted and reported as
    /// slow_consumer. Default: 65,536.
    std::size_t max_pending_messages = 65'536;
    /// Bytes of messages that may wait for the handler. Messages beyond it are dropped, counted and reported as
    /// slow_consumer. Default: 64 MiB.
    std::size_t max_pending_bytes = std::size_t{64} << 20;
    /// True: never answer requests; for events that carry a reply subject for other reasons, such as JetStream
    /// publications. Default: false.
    bool no_reply = false;
    /// Unsubscribe after this many messages; 0 (the default): never. At most 2,147,483,647.
    std::uint64_t max_messages = 0;
    /// Collects messages for a handler that takes `std::span<const T>`; `workers` batches are handled at the same time.
    /// Default: no batches.
    Batch batch = {};
    /// What becomes of the broker if the server refuses the subscription later. Default: the broker goes on.
    OnLost on_lost = OnLost::go_on;
    /// What descriptions tell of the subscriber. Default: nothing but what its types tell.
    About about = {};
};

/// Options of SubscriberBuilder::publish_to.
struct PublishToOptions {
    /// For a subscriber of a stream (js::Pull, js::Push): whether a stream must confirm that it has stored the results
    /// before the message is acknowledged. true: start() fails if no stream stores the subject. false: nobody is asked.
    /// Default (empty): if a stream stores the subject at the start; else start() logs a warning.
    std::optional<bool> confirm = {};
    /// Headers of what is published, beside those of a Response, which replace headers of the same name. The answer
    /// does not have them. Default: none.
    Headers headers = {};
};

namespace detail {

class Endpoint;
class SubscriberCore;
class MessageQueue;

/// The result of `SourceSpec make_source(Options)`, a function that another module declares beside its own type of
/// options; `subscriber(options)` calls it.
struct SourceSpec {
    SubscriberOptions options = {};
    std::unique_ptr<Source> source = {};
};
template <class Options>
concept SourceOptions = requires(Options options) {
    { make_source(std::move(options)) } -> std::same_as<SourceSpec>;
};

/// A subject to which results go, as publish_to got it.
struct ResultTarget {
    std::string subject = {};
    PublishToOptions options = {};
};

/// The declaration of a subscriber.
struct SubscriberSpec {
    std::string subject = {};
    SubscriberOptions options = {};
    std::vector<ResultTarget> publish_to = {};
    std::unique_ptr<HandlerBase> handler = {};
    std::unique_ptr<Source> source = {};  // null: a core NATS subscription
    std::vector<FilterCase> cases = {};   // tried before `handler`, which is then the default and may be null
    std::shared_ptr<Layer> own = {};      // layer of the subscriber itself; null: it has none
    std::vector<std::shared_ptr<const Layer>> layers = {};  // layers of its routers, outermost first
    bool bare = false;                                      // no middleware, no error handler, not even the broker's
    std::uint64_t draft = 0;                                // the number that Registry::begin returned; 0: none yet
    std::shared_ptr<Endpoint> endpoint = {};                // its part in a service; null: it has none
    // For a subscriber that a router keeps, to make it anew for each broker:
    std::function<std::unique_ptr<HandlerBase>()> make_handler = {};
    std::function<SourceSpec(std::optional<AckPolicy>)> make_source = {};
};

/// A function that several brokers share; each broker has a handler of its own that calls it.
template <class F, class R, class... A>
struct SharedCall {
    std::shared_ptr<F> shared;
    R operator()(A... arguments) { return (*shared)(static_cast<A&&>(arguments)...); }
};
template <class F, class Arguments>
struct SharedCallFor;
template <class F, class... A>
struct SharedCallFor<F, TypeList<A...>> {
    using Type = SharedCall<F, typename Signature<F>::Result, A...>;
};

template <class Pattern, bool Publishes, class F>
std::function<std::unique_ptr<HandlerBase>()> make_handler_maker(F&& handler) {
    using Function = std::decay_t<F>;
    if constexpr (HasSignature<Function> && !std::is_member_function_pointer_v<Function>) {
        using Call = typename SharedCallFor<Function, typename Signature<Function>::Arguments>::Type;
        return [shared = std::make_shared<Function>(std::forward<F>(handler))] {
            return make_handler<Pattern, Publishes>(Call{shared});
        };
    } else {
        std::ignore = make_handler<Pattern, Publishes>(std::forward<F>(handler));  // the assertions in it say why
        return {};
    }
}

/// The place where subscribers are declared: a broker or a router.
class Registry {
public:
    /// Begins the declaration of a subscriber and returns its number. The caller passes the number to `add` in the
    /// spec; if it never does, the declaration was forgotten, and a start reports that.
    virtual std::uint64_t begin(const std::string& subject) = 0;
    virtual std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) = 0;

protected:
    ~Registry() = default;
};

}  // namespace detail

/// A registered subscriber. A light handle: copies refer to one subscriber. It may outlive the broker, which stops the
/// subscriber when it ends. Thread-safe.
class Subscriber {
public:
    explicit Subscriber(std::shared_ptr<detail::SubscriberCore> subscriber) noexcept
        : subscriber_{std::move(subscriber)} {}

    /// Returns the subject as declared, with its `{names}`.
    std::string_view subject() const noexcept;
    SubscriberStats stats() const;

    /// Takes no more messages and handles those that have arrived. Blocks until that is done, for the broker's
    /// stop_timeout at most: what waits then is dropped, or given back to JetStream. Called inside a handler or any
    /// other function of yours that freshet calls, of any broker, it returns at once.
    void stop();

private:
    std::shared_ptr<detail::SubscriberCore> subscriber_;
};

namespace detail {
std::pair<std::shared_ptr<SubscriberCore>, std::shared_ptr<MessageQueue>> open_stream(Registry& registry,
                                                                                      SubscriberSpec spec);
}

#define FRESHET_KEPT_BUILDER_TEXT                                                                                      \
    "freshet: declare a subscriber in one expression, broker.subscriber(...)...handle(...): each call uses up the "    \
    "builder before it, so a builder in a variable is of no use. See docs/handlers.md#handlers"

/// The result of `subscriber(...)`: declare on it where results go and which function handles the messages, and end
/// with `.handle(...)` or `.messages()`.
template <class Pattern, bool Publishes = false, bool InRouter = false, class C = void>
class [[nodiscard("freshet: call .handle(...): nothing is registered until then")]] SubscriberBuilder {
    using Declared = std::conditional_t<InRouter, void, Subscriber>;

public:
    SubscriberBuilder(detail::Registry& registry, detail::SubscriberSpec spec)
        : registry_{&registry}, spec_{std::move(spec)} {
        if (spec_.draft == 0) spec_.draft = registry.begin(spec_.subject);
    }

    /// Publishes the handler's results to this subject, in addition to answering. `{names}` are filled from the
    /// incoming subject, and the compiler checks them. A message of a stream is acknowledged when streams have
    /// confirmed its results: see PublishToOptions::confirm.
    template <FixedString Target>
    SubscriberBuilder<Pattern, true, InRouter, C> publish_to(PublishToOptions options = {}) && {
        static_assert(
            !StaticTemplate<Target>::valid || Pattern::fills(Target.view()),
            "freshet: publish_to names a {parameter} that the subscriber's subject does not have, so it cannot be "
            "filled. See docs/handlers.md#results");
        return std::move(*this).publish_to(std::string{Target.view()}, std::move(options));
    }
    /// Publishes the handler's results to this subject, in addition to answering. `{names}` are filled from the
    /// incoming subject; start() checks them.
    SubscriberBuilder<Pattern, true, InRouter, C> publish_to(std::string subject, PublishToOptions options = {}) && {
        spec_.publish_to.push_back({std::move(subject), std::move(options)});
        return {*registry_, std::move(spec_)};
    }

    /// Has the bodies that this subscriber's handlers take and return read and written by the codec C, instead of those
    /// of their types: a class with `static Expected<void> decode(Bytes, T&)`, `static void encode(const T&, Buffer&)`
    /// or both, for one T or several, and `static constexpr std::string_view content_type` if it is to be sent. What C
    /// does not know keeps the codec of its type. See also InFormat.
    template <class Chosen>
    SubscriberBuilder<Pattern, Publishes, InRouter, Chosen> codec() && {
        return {*registry_, std::move(spec_)};
    }

    /// Puts a middleware around this subscriber's handlers, within those of the broker and of routers: an object or a
    /// function `Outcome(Context&, Next)`. Of several, the first is the outermost. See docs/middleware.md.
    template <class F>
    SubscriberBuilder use(F&& middleware) && {
        detail::add_middleware(own(), std::forward<F>(middleware));
        return std::move(*this);
    }
    /// Puts a middleware around everything that is published, answered and asked while this subscriber's handlers run,
    /// within those of the broker and of routers: `Expected<void>(Outgoing&, NextPublish)`.
    template <class F>
    SubscriberBuilder use_publish(F&& middleware) && {
        detail::add_publish_middleware(own(), std::forward<F>(middleware));
        return std::move(*this);
    }
    /// Sets the function that is called when this subscriber's handlers fail with an E; see Broker::on_error.
    template <class E, class F>
        requires(!std::is_integral_v<std::remove_cvref_t<F>>)
    SubscriberBuilder on_error(F&& handler) && {
        detail::add_error_handler<E, Pattern>(own(), std::forward<F>(handler));
        return std::move(*this);
    }
    /// Answers with the error `code` when this subscriber's handlers fail with an E; see Broker::on_error.
    template <class E>
    SubscriberBuilder on_error(int code, std::string description = {}) && {
        detail::add_error_code<E, Pattern>(own(), code, std::move(description));
        return std::move(*this);
    }
    /// Calls a function of Depends before this subscriber's handlers, whether they take its result or not.
    template <auto Function>
    SubscriberBuilder depends() && {
        detail::add_dependency<Function, Pattern>(own());
        return std::move(*this);
    }

    /// Gives the messages for which `predicate` returns true to `handler`. Of several, the first that matches gets the
    /// message, in the order of the calls. `predicate` is a function of `const Message&` or `Context&`; filter.hpp has
    /// ready ones. A call of `handle` must follow.
    template <class Predicate, class F>
    SubscriberBuilder when(Predicate&& predicate, F&& handler) && {
        if constexpr (std::is_void_v<C>) {
            auto& added = spec_.cases.emplace_back();
            added.matches = detail::make_predicate(std::forward<Predicate>(predicate));
            if constexpr (InRouter)
                added.make_handler = detail::make_handler_maker<Pattern, Publishes>(std::forward<F>(handler));
            else added.handler = detail::make_handler<Pattern, Publishes>(std::forward<F>(handler));
            return std::move(*this);
        } else {
            auto added = std::move(*this).template codec<void>().when(std::forward<Predicate>(predicate),
                                                                      detail::with_codec<C>(std::forward<F>(handler)));
            return {*registry_, std::move(added.spec_)};
        }
    }
    /// Registers the handlers that were given with `when`, without a default: a message that no predicate matches is
    /// rejected, so it is settled, counted and logged.
    Declared handle() && { return Declared(registry_->add(std::move(spec_))); }

    /// Registers the handler: a function, a lambda, or any object with one operator(). On a running broker it also
    /// starts the subscriber: it blocks for a round trip, the subscription is live when it returns, and it throws Error
    /// for everything that start() would report. Returns nothing on a router.
    template <class F>
    Declared handle(F&& handler) && {
        if constexpr (!std::is_void_v<C>)
            return std::move(*this).template codec<void>().handle(detail::with_codec<C>(std::forward<F>(handler)));
        else if constexpr (InRouter)
            spec_.make_handler = detail::make_handler_maker<Pattern, Publishes>(std::forward<F>(handler));
        else spec_.handler = detail::make_handler<Pattern, Publishes>(std::forward<F>(handler));
        if constexpr (std::is_void_v<C>) return Declared(registry_->add(std::move(spec_)));
    }

    /// Registers a member function, called on `object`: a reference that outlives the broker, or a (smart) pointer.
    template <class Member, class Object>
        requires std::is_member_function_pointer_v<Member>
    Declared handle(Member member, Object&& object) && {
        return std::move(*this).handle(detail::bind_member(member, std::forward<Object>(object)));
    }

    /// Registers the subscriber and returns its messages as a range, instead of calling a handler.
    MessageStream messages() && {
        static_assert(!Publishes, "freshet: publish_to needs a handler. See docs/handlers.md#results");
        static_assert(
            !InRouter,
            "freshet: a router's subscriber needs a handler: messages() is for a subscriber of the broker. See "
            "docs/routers.md#subscribers");
        auto [subscriber, queue] = detail::open_stream(*registry_, std::move(spec_));
        return {std::move(subscriber), std::move(queue)};
    }

    // The functions of a builder that is kept in a variable. Without these, the compiler would only say that none
    // matches.
#define FRESHET_KEPT_BUILDER(function, Result)                                                                         \
    template <class... A>                                                                                              \
    Result function(A&&...)& {                                                                                         \
        static_assert(sizeof...(A) > 64, FRESHET_KEPT_BUILDER_TEXT);                                                   \
        std::unreachable();                                                                                            \
    }
    FRESHET_KEPT_BUILDER(handle, Declared)
    FRESHET_KEPT_BUILDER(messages, MessageStream)
    FRESHET_KEPT_BUILDER(when, SubscriberBuilder)
    FRESHET_KEPT_BUILDER(use, SubscriberBuilder)
    FRESHET_KEPT_BUILDER(use_publish, SubscriberBuilder)
    FRESHET_KEPT_BUILDER(publish_to, SubscriberBuilder)
#undef FRESHET_KEPT_BUILDER
    template <FixedString Target, class... A>
    SubscriberBuilder publish_to(A&&...) & {
        static_assert(sizeof...(A) > 64, FRESHET_KEPT_BUILDER_TEXT);
        std::unreachable();
    }

private:
    template <class, bool, bool, class>
    friend class SubscriberBuilder;

    detail::Layer& own() {
        if (spec_.own == nullptr) spec_.own = std::make_shared<detail::Layer>();
        return *spec_.own;
    }

    detail::Registry* registry_;
    detail::SubscriberSpec spec_;
};

}  // namespace freshet
