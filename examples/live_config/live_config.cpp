// SPDX-License-Identifier: Apache-2.0
// Keeps its configuration in a key-value bucket: a change applies at once, in every process of the service, without a
// restart.
#include <map>
#include <mutex>
#include <string>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "limits.hpp"

using freshet::Logger;
using freshet::Path;
namespace kv = freshet::kv;

class Limits {
public:
    /// Called for each entry that exists when the service starts, then for each change.
    void apply(const kv::Entry<Limit>& entry, Path<"name", std::string> name, Logger& log) {
        const std::lock_guard lock{mutex_};
        if (entry.operation == kv::Operation::put) {
            limits_[*name] = entry.value;
            log.info("{}: {} requests per minute{}", *name, entry.value.requests_per_minute,
                     entry.value.blocked ? ", blocked" : "");
        } else {
            limits_.erase(*name);
            log.info("{}: the default", *name);
        }
    }

    Limit of(Path<"name", std::string> name) {
        const std::lock_guard lock{mutex_};
        const auto found = limits_.find(*name);
        return found == limits_.end() ? Limit{} : found->second;
    }

private:
    std::mutex mutex_;
    std::map<std::string, Limit> limits_;
};

void wire(freshet::Broker& broker, Limits& limits) {
    broker.subscriber<"customer.{name}">(kv::Watch{.bucket = "limits", .options = {.history = 10}})
        .handle(&Limits::apply, limits);
    broker.subscriber<"limits.{name}">({.queue = "limits"}).handle(&Limits::of, limits);
}

int main(int argc, char** argv) {
    Limits limits;
    freshet::Broker broker;
    wire(broker, limits);
    return freshet::App{broker}.run(argc, argv);
}
