// SPDX-License-Identifier: Apache-2.0
// freshet's own metrics. Labels are what the program declared, never what a message says.
#include "metrics/families.hpp"

namespace freshet::detail {
namespace {

/// Adds metrics of one broker, each of which begins with the prefix.
class Adder {
public:
    Adder(Families& families, std::string_view prefix) noexcept : families_{families}, prefix_{prefix} {}

    void counter(std::string_view name, std::string_view help, const Labels& labels, std::uint64_t value) {
        families_.counter(full(name), help, labels, value);
    }
    void gauge(std::string_view name, std::string_view help, const Labels& labels, double value) {
        families_.gauge(full(name), help, labels, value);
    }
    void gauge(std::string_view name, std::string_view help, const Labels& labels, std::uint64_t value) {
        gauge(name, help, labels, static_cast<double>(value));
    }
    void gauge_once(std::string_view name, std::string_view help, const Labels& labels, std::uint64_t value) {
        families_.gauge_once(full(name), help, labels, static_cast<double>(value));
    }
    void histogram(std::string_view name, std::string_view help, const Labels& labels, const HistogramStats& values) {
        families_.histogram(full(name), help, labels, values);
    }
    /// Adds a histogram that only some subscribers have values for.
    void used_histogram(std::string_view name, std::string_view help, const Labels& labels,
                        const HistogramStats& values) {
        if (values.count() > 0) histogram(name, help, labels, values);
    }

private:
    std::string full(std::string_view name) const { return std::string{prefix_}.append("_").append(name); }

    Families& families_;
    const std::string_view prefix_;
};

void add_received(Adder& add, const Labels& labels, const SubscriberStats& stats) {
    add.counter("messages_received_total", "Messages that were taken up to be handled.", labels, stats.received);
    const auto processed = [&](const char* outcome, std::uint64_t count) {
        add.counter("messages_processed_total", "Messages whose handling has ended, by what became of them.",
                    with(labels, "outcome", outcome), count);
    };
    processed("ack", stats.acked);
    processed("nack", stats.nacked);
    processed("term", stats.terminated);
    processed("rejected", stats.refused);
    processed("dead_letter", stats.dead_lettered);
    add.gauge("messages_in_flight", "Messages that are being handled.", labels, stats.in_flight());
    add.histogram("handler_duration_seconds", "Time that handlers took.", labels, stats.duration);
    add.histogram("message_size_bytes", "Sizes of the bodies that were received.", labels, stats.size);
}

void add_subscriber(Adder& add, const SubscriberReport& report, Names names) {
    const Labels labels{{"subject", report.subject}, {"queue", report.group}};
    const auto& stats = report.stats;
    if (names == Names::own) add_received(add, labels, stats);
    for (const auto& [error, count] : stats.error_kinds) {
        add.counter("messages_failed_total", "Messages that failed or were rejected, by the kind of the error.",
                    with(labels, "error", error), count);
    }
    const auto rejected = [&](const char* reason, std::uint64_t count) {
        add.counter("messages_rejected_total", "Messages that no handler could take, by the reason.",
                    with(labels, "reason", reason), count);
    };
    rejected("body", stats.undecodable);
    rejected("parameter", stats.bad_parameters);
    rejected("unmatched", stats.unmatched);
    add.counter("messages_declined_total", "Messages that were answered on purpose with an error of 400 to 499.",
                labels, stats.declined);
    add.counter("messages_skipped_total", "Messages whose handler threw Skip.", labels, stats.skipped);
    add.counter("messages_dropped_total", "Messages that were lost because too many waited, or at a stop.", labels,
                stats.dropped);
    add.gauge("queue_depth", "Messages that wait for a handler.", labels, std::uint64_t{stats.pending});
    add.used_histogram("message_queue_seconds", "Time that messages waited for a thread or a batch.", labels,
                       stats.waiting);
    add.used_histogram("batch_size", "Messages in a batch.", labels, stats.batch);
}

void add_consumer(Adder& add, const SubscriberReport& report, const ConsumerStats& stats) {
    const Labels labels{{"subject", report.subject}, {"queue", report.group}};
    add.counter("redeliveries_total", "Messages that came although they had been delivered before.", labels,
                stats.redeliveries);
    add.counter("dead_letters_total", "Dead letters, by whether they were kept.", with(labels, "status", "kept"),
                stats.dead_letters);
    add.counter("dead_letters_total", "", with(labels, "status", "refused"), stats.dead_letters_refused);
    add.counter("consumer_recoveries_total", "How often a consumer was found or made again after a loss.", labels,
                stats.recoveries);
    if (!stats.lag) return;
    const Labels consumer{{"stream", stats.stream}, {"consumer", stats.consumer}};
    add.gauge_once("consumer_num_pending", "Messages that the consumer has not delivered yet.", consumer,
                   stats.lag->pending);
    add.gauge_once("consumer_num_ack_pending", "Delivered messages that are not acknowledged.", consumer,
                   stats.lag->ack_pending);
    add.gauge_once("consumer_num_redelivered", "Of these, the ones that were delivered more than once.", consumer,
                   stats.lag->redelivered);
    add.gauge_once("consumer_num_waiting", "Pull requests that wait for messages.", consumer, stats.lag->waiting);
    const Labels stream{{"stream", stats.stream}};
    add.gauge_once("stream_messages", "Messages in the stream.", stream, stats.lag->stream_messages);
    add.gauge_once("stream_bytes", "Bytes of the messages in the stream.", stream, stats.lag->stream_bytes);
}

void add_published(Adder& add, const PublisherStats& stats) {
    const Labels labels{{"subject", stats.subject}};
    const auto* const help = "Messages that were published.";
    add.counter("published_total", help, with(labels, "status", "ok"), stats.published);
    add.counter("published_total", help, with(labels, "status", "error"), stats.failed);
    for (const auto& [error, count] : stats.error_kinds) {
        add.counter("publish_errors_total", "Messages that were not published, by the kind of the error.",
                    with(labels, "error", error), count);
    }
    add.histogram("publish_duration_seconds", "Time that publishing took.", labels, stats.duration);
}

void add_requests(Adder& add, const RequestStats& stats) {
    const auto one = [&](const char* status, std::uint64_t count, const HistogramStats& duration) {
        const Labels labels{{"subject", stats.subject}, {"status", status}};
        add.counter("requests_total", "Requests that have ended, by how.", labels, count);
        add.histogram("request_duration_seconds", "Time until a request ended.", labels, duration);
    };
    one("ok", stats.ok, stats.ok_duration);
    one("error", stats.error, stats.error_duration);
    one("timeout", stats.timeout, stats.timeout_duration);
    one("no_responders", stats.no_responders, stats.no_responders_duration);
}

void add_store(Adder& add, const StoreStats& stats) {
    const Labels labels{{"bucket", stats.bucket}, {"operation", stats.operation}};
    const auto* const help = stats.store == "kv" ? "Operations on key-value buckets." : "Operations on object stores.";
    add.counter(stats.store + "_operations_total", help, with(labels, "status", "ok"), stats.ok);
    add.counter(stats.store + "_operations_total", help, with(labels, "status", "error"), stats.failed);
    add.histogram(stats.store + "_operation_duration_seconds", "Time that operations took.", labels, stats.duration);
}

void add_connection(Adder& add, const BrokerStats& stats) {
    add.gauge("broker_running", "Whether the broker runs.", {}, std::uint64_t{stats.running});
    add.gauge("broker_subscribers", "Subscribers that have not ended.", {}, std::uint64_t{stats.subscribers});
    add.gauge("connection_up", "Whether there is a server.", {}, std::uint64_t{stats.connected});
    add.counter("connection_reconnects_total", "How often the connection was made again.", {},
                stats.transport.reconnects);
    add.counter("connection_slow_consumer_total", "How often a subscriber was told that it drops messages.", {},
                stats.slow_consumers);
    add.counter("connection_received_messages_total", "Messages that came over the connection.", {},
                stats.transport.in_messages);
    add.counter("connection_received_bytes_total", "Bytes of these.", {}, stats.transport.in_bytes);
    add.counter("connection_sent_messages_total", "Messages that left over the connection.", {},
                stats.transport.out_messages);
    add.counter("connection_sent_bytes_total", "Bytes of these.", {}, stats.transport.out_bytes);
    add.gauge("requests_in_flight", "Requests without an answer yet.", {}, std::uint64_t{stats.requests_in_flight});
    if (stats.most_unconfirmed == 0) return;
    add.gauge("publish_window_messages", "Messages that no stream has confirmed yet.", {},
              std::uint64_t{stats.unconfirmed});
    add.gauge("publish_window_limit", "How many there may be.", {}, std::uint64_t{stats.most_unconfirmed});
}

}  // namespace

void add_broker(Families& families, std::string_view prefix, const BrokerStats& stats, Names names) {
    Adder add{families, prefix};
    for (const auto& report : stats.by_subscriber) {
        add_subscriber(add, report, names);
        if (report.stats.consumer) add_consumer(add, report, *report.stats.consumer);
    }
    if (names == Names::own)
        for (const auto& publisher : stats.by_publisher) add_published(add, publisher);
    for (const auto& client : stats.by_client) add_requests(add, client);
    for (const auto& store : stats.by_store) add_store(add, store);
    add_connection(add, stats);
}

}  // namespace freshet::detail
