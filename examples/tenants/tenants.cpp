// SPDX-License-Identifier: Apache-2.0
// Serves many tenants: the tenant is a token of every subject. It is checked once for all handlers and has a limit of
// its own. No tenant sees what another one does.
//
//     NATS_URL=nats://localhost:4222 ./tenants
//     nats request notes.acme.7.put 'buy milk' --header 'key:acme-key'
//     nats request notes.acme.7.get '' --header 'key:acme-key'
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <freshet/freshet.hpp>
#include <freshet/middleware/rate_limit.hpp>

using freshet::Context, freshet::Depends, freshet::Header, freshet::Inject, freshet::Next, freshet::Path;

struct Problem {
    int code{};
    std::string text{};
};
FRESHET_JSON(Problem, code, text);

struct NoSuchNote : std::runtime_error {
    using runtime_error::runtime_error;
};

/// The notes of one tenant.
class Notes {
public:
    void put(const std::string& id, std::string_view text) {
        const std::lock_guard lock{mutex_};
        texts_[id] = text;
    }
    std::string get(const std::string& id) const {
        const std::lock_guard lock{mutex_};
        const auto found = texts_.find(id);
        if (found == texts_.end()) throw NoSuchNote{"there is no note " + id};
        return found->second;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> texts_;
};

struct Tenant {
    explicit Tenant(std::string its_key) : key{std::move(its_key)} {}

    const std::string key;
    Notes notes = {};
    freshet::RateLimit limit{{.messages = 50}};
};

/// The tenants that may use the service. Filled before it starts, then read by all threads.
using Tenants = std::map<std::string, Tenant, std::less<>>;

/// Returns the tenant of a message if the message has the right key. Handlers and other functions take it as Depends.
Tenant& known_tenant(Path<"tenant"> name, Header<"key", std::optional<std::string_view>> key, Inject<Tenants> tenants,
                     Context& context) {
    const auto found = tenants->find(*name);
    if (found == tenants->end() || *key != found->second.key) throw freshet::RemoteError{403, "unknown tenant or key"};
    context.set<Tenant*>(&found->second);
    return found->second;
}

freshet::Router<"notes.{tenant}."> notes_router() {
    freshet::Router<"notes.{tenant}."> notes;
    notes.depends<&known_tenant>();              // before what follows, for every handler
    notes.use([](Context& context, Next next) {  // each tenant has a limit of its own
        return (*context.get<Tenant*>())->limit(context, std::move(next));
    });
    notes.on_error<NoSuchNote>([](const NoSuchNote& error) { return Problem{404, error.what()}; });

    notes.subscriber<"{id}.put">().handle([](std::string_view text, Path<"id", std::string> id,
                                             Depends<&known_tenant> tenant) {
        tenant->notes.put(*id, text);
        return freshet::Response<>{};
    });
    notes.subscriber<"{id}.get">().handle([](Path<"id", std::string> id, Depends<&known_tenant> tenant) {
        return tenant->notes.get(*id);
    });
    return notes;
}

void wire(freshet::Broker& broker) {
    auto tenants = std::make_shared<Tenants>();
    tenants->try_emplace("acme", "acme-key");
    tenants->try_emplace("umbrella", "umbrella-key");
    broker.provide(tenants);
    broker.include(notes_router());
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
