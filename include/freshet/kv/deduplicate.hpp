// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <freshet/broker.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/middleware.hpp>

namespace freshet::kv {

struct DeduplicateOptions {
    std::string header = "Nats-Msg-Id";  ///< where a message's id is; one without it is always handled
    std::chrono::nanoseconds window{120 * 1'000'000'000LL};  ///< how long an id is remembered; default: two minutes
    /// How long a message belongs to the process that began to handle it, at least 1 s: longer than a handler runs. When the
    /// process is killed meanwhile, the message is handled by another one after that. Default: a minute.
    std::chrono::nanoseconds claim{60 * 1'000'000'000LL};
};

/// As freshet::Deduplicate, but what was handled is remembered in a key-value bucket, for all processes of a service, and over
/// their restarts: `broker.use(kv::Deduplicate{broker, "handled"})`.
///
/// A message is claimed before it is handled. If the outcome is ack, its id is remembered; if not, the claim is given up, so that
/// the message is handled when it comes again; if the process ends in between, the claim does by itself. A message that another
/// one has claimed gets nack after a second. When the bucket cannot be asked the message has failed and is not handled: it comes
/// again on JetStream, and is lost on core NATS.
///
/// A bucket belongs to one service. Each subscriber in it counts for itself: its JetStream consumer, else its subject and queue
/// group as declared. The bucket is created if it is missing; it needs nats-server 2.11, for keys with a TTL. Two requests to the
/// server for each message, so a millisecond or so. Refers to the broker. Copies are alike; thread-safe.
class Deduplicate {
public:
    /// Throws Error(Errc::bad_setup) for a name that is none of a bucket, or times below a second.
    Deduplicate(Broker& broker, std::string bucket, DeduplicateOptions options = {});
    Outcome operator()(Context& context, Next next) const;

private:
    class State;
    std::shared_ptr<const State> state_;
};

}  // namespace freshet::kv
