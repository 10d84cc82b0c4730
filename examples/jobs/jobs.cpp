// SPDX-License-Identifier: Apache-2.0
// Works on jobs that wait in a stream until one of the workers has done them. A job that fails is tried again after a
// while. After the last attempt it becomes a dead letter, where somebody can look at it. Start as many workers as you
// like.
#include <chrono>
#include <stdexcept>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "thumbnail.hpp"

using namespace std::chrono_literals;
namespace js = freshet::js;

const js::Stream jobs{.name = "JOBS", .subjects = {"jobs.>"}, .retention = js::Retention::workqueue};
const js::Stream dead_jobs{.name = "DEAD_JOBS", .subjects = {"dead.jobs"}, .max_age = 30 * 24h};

void wire(freshet::Broker& broker) {
    broker
        .subscriber<"jobs.thumbnail">(js::Pull{
            .stream = jobs,
            .durable = "thumbnails",
            .workers = 4,
            .retry = {.max_attempts = 3, .backoff = {100ms, 1s}, .dead_letter = "dead.jobs"}})
        .handle([](const Thumbnail& job, const freshet::Message& message, freshet::Logger& log) {
            if (job.width <= 0) throw freshet::Reject{"no width"};  // trying again would not help
            if (job.image.ends_with(".broken")) throw std::runtime_error{"cannot read it"};
            log.info("{} is {} wide, at delivery {}", job.image, job.width, message.metadata()->deliveries);
        });
    // Reports the jobs that nobody could do to an operator, and leaves them in the stream.
    broker.subscriber<"dead.jobs">(js::Pull{.stream = dead_jobs, .durable = "operators"})
        .handle([](const freshet::Message& message, freshet::Logger& log) {
            log.error("given up after {} deliveries: {} ({})", message.header("Dead-Letter-Deliveries").value_or("?"),
                      message.text(), message.header("Dead-Letter-Reason").value_or("?"));
        });
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
