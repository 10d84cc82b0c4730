// SPDX-License-Identifier: Apache-2.0
#include "example_services.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include <fmt/core.h>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/middleware/circuit_breaker.hpp>
#include <freshet/middleware/deduplicate.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/middleware/timeout_warning.hpp>
#include <freshet/service.hpp>

void wire_codecs(freshet::Broker& broker);  // example_codecs.cpp

// Each in a namespace of its own: they have names in common.
namespace billing {
#define main billing_main
#include "../../examples/billing/billing.cpp"
#undef main
}  // namespace billing
namespace calc_service {
#define main calc_service_main
#include "../../examples/calc_service/calc_service.cpp"
#undef main
}  // namespace calc_service
namespace errors {
#define main errors_main
#include "../../examples/errors/errors.cpp"
#undef main
}  // namespace errors
namespace file_drop {
#define main file_drop_main
#include "../../examples/file_drop/file_drop.cpp"
#undef main
}  // namespace file_drop
namespace shop {
#define main shop_main
#include "../../examples/inject/inject.cpp"
#undef main
}  // namespace shop
namespace jobs_service {
#define main jobs_main
#include "../../examples/jobs/jobs.cpp"
#undef main
}  // namespace jobs_service
namespace live_config {
#define main live_config_main
#include "../../examples/live_config/live_config.cpp"
#undef main
}  // namespace live_config
namespace rpc {
#define main rpc_main
#include "../../examples/rpc/rpc_server.cpp"
#undef main
}  // namespace rpc
namespace sessions {
#define main sessions_main
#include "../../examples/sessions/sessions.cpp"
#undef main
}  // namespace sessions
namespace tenants {
#define main tenants_main
#include "../../examples/tenants/tenants.cpp"
#undef main
}  // namespace tenants
namespace wildcards {
#define main wildcards_main
#include "../../examples/wildcards/audit.cpp"
#undef main
}  // namespace wildcards
namespace workers {
#define main workers_main
#include "../../examples/workers/worker.cpp"
#undef main
}  // namespace workers

namespace {

// Only described: nothing of it runs.
void wire_inject(freshet::Broker& broker) {
    static shop::Shop shop;
    shop::wire(broker, shop);
}
void wire_live_config(freshet::Broker& broker) {
    static live_config::Limits limits;
    live_config::wire(broker, limits);
}

}  // namespace

const std::vector<ExampleService>& example_services() {
    static const std::vector<ExampleService> all{{"billing", billing::wire},
                                                 {"calc_service", calc_service::wire},
                                                 {"codecs", wire_codecs},
                                                 {"errors", errors::declare_handlers},
                                                 {"file_drop", file_drop::wire},
                                                 {"inject", wire_inject},
                                                 {"jobs", jobs_service::wire},
                                                 {"live_config", wire_live_config},
                                                 {"rpc", rpc::wire},
                                                 {"sessions", sessions::wire},
                                                 {"tenants", tenants::wire},
                                                 {"wildcards", wildcards::wire},
                                                 {"workers", workers::wire}};
    return all;
}

freshet::Description describe(const ExampleService& service) {
    freshet::Broker broker{{.servers = {"nats://localhost:4222"}, .name = service.name}};
    service.wire(broker);
    return broker.describe();
}
