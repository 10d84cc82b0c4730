// SPDX-License-Identifier: Apache-2.0
// Changes the configuration of live_config: `set_config NAME REQUESTS`, `set_config NAME block`, `set_config NAME
// default`.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "limits.hpp"

namespace {

/// Reads and changes the entry again when another process has written meanwhile.
std::uint64_t block(const freshet::kv::Kv<Limit>& limits, const std::string& key) {
    for (;;) {
        const auto entry = limits.get(key);
        auto limit = entry ? entry->value : Limit{};
        limit.blocked = true;
        const auto written = entry ? limits.try_update(key, limit, entry->revision) : limits.try_create(key, limit);
        if (written) return *written;
        const auto condition = written.error().condition();
        if (condition != freshet::Condition::wrong_revision && condition != freshet::Condition::already_exists)
            freshet::raise(written.error());
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::puts("usage: set_config NAME REQUESTS|block|default");
        return EXIT_FAILURE;
    }
    const auto key = "customer." + std::string{argv[1]};
    const std::string_view what = argv[2];

    freshet::Broker broker;
    broker.start();
    auto limits = broker.kv<Limit>("limits", {.history = 10});
    const auto revision = what == "block"     ? block(limits, key)
                          : what == "default" ? limits.erase(key)
                                              : limits.put(key, {.requests_per_minute = std::atoi(argv[2])});
    std::printf("%s is revision %llu; %zu are kept of it\n", key.c_str(), static_cast<unsigned long long>(revision),
                limits.history(key).size());
    return EXIT_SUCCESS;
} catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
