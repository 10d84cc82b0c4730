// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <freshet/broker.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/middleware.hpp>

namespace freshet::kv {

/// Options of kv::Deduplicate.
struct DeduplicateOptions {
    std::string header = "Nats-Msg-Id";  ///< header with the id; a message without it is always handled
    std::chrono::nanoseconds window{120 * 1'000'000'000LL};  ///< how long an id is remembered; default: two minutes
    /// How long a message belongs to the process that began to handle it, at least 1 s; default: a minute. Set it
    /// longer than a handler runs. If the process is killed meanwhile, another one handles the message after this time.
    std::chrono::nanoseconds claim{60 * 1'000'000'000LL};
};

/// Acknowledges a message without handling it if a process of the service has handled its id before: the processes
/// share a key-value bucket, which also outlives their restarts. Use it as `broker.use(kv::Deduplicate{broker,
/// "handled"})`. For one process, freshet::Deduplicate needs no bucket.
///
/// Before the handler runs, a claim for the message is written into the bucket. If the outcome is ack, the claim
/// becomes the record of the id; otherwise it is removed, so that the message is handled when it comes again. If the
/// process ends in between, the claim expires. A message that another process has claimed gets nack with a delay of one
/// second. If the bucket cannot be asked, the message fails and is not handled: it comes again on JetStream, and is
/// lost on core NATS.
///
/// A bucket belongs to one service. Each subscriber has its own ids in it, under its JetStream consumer, else under its
/// declared subject and queue group. The bucket is created if it is missing; it needs nats-server 2.11, for keys with a
/// TTL. Blocks for two requests to the server per message, about a millisecond, and until a stream has confirmed what a
/// handler of a stream's message publishes. The messages of a batch are claimed one by one, and the handler gets those
/// that were not handled before. Refers to the broker. Copies share the bucket. Thread-safe.
class Deduplicate {
public:
    /// Throws Errc::bad_setup if `bucket` is not a valid name of a bucket, or if a time is below a second.
    Deduplicate(Broker& broker, std::string bucket, DeduplicateOptions options = {});
    Outcome operator()(Context& context, Next next) const;

private:
    class State;
    Outcome handle_batch(Context& context, Next next, const Items& items) const;
    std::shared_ptr<const State> state_;
};

}  // namespace freshet::kv
