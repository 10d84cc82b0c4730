// SPDX-License-Identifier: Apache-2.0
// The metrics of FastStream's middleware for Prometheus, so that dashboards for it show freshet's services. The label
// `handler` is the declared subject, where FastStream has the subject of each message.
#include <algorithm>

#include "broker/reports.hpp"
#include "metrics/families.hpp"

namespace freshet::detail {
namespace {

std::uint64_t sum_of(const ErrorKinds& errors) {
    std::uint64_t sum = 0;
    for (const auto& [error, count] : errors) sum += count;
    return sum;
}

void add_received(Families& families, const Labels& labels, const SubscriberStats& stats) {
    families.counter("faststream_received_messages_total", "Messages that were received.", labels, stats.received);
    families.histogram("faststream_received_messages_size_bytes", "Sizes of the bodies that were received.", labels,
                       stats.size);
    families.gauge("faststream_received_messages_in_process", "Messages that are being handled.", labels,
                   static_cast<double>(stats.in_flight()));
    const auto errors = sum_of(stats.error_kinds) + stats.declined;
    const auto all = stats.acked + stats.nacked + stats.terminated + stats.refused + stats.dead_lettered;
    const auto others = errors + stats.skipped + stats.said_nack + stats.said_term;
    const auto processed = [&](const char* status, std::uint64_t count) {
        families.counter("faststream_received_processed_messages_total", "Messages whose handling has ended.",
                         with(labels, "status", status), count);
    };
    processed("acked", all > others ? all - others : 0);
    processed("nacked", stats.said_nack);
    processed("rejected", stats.said_term);
    processed("skipped", stats.skipped);
    processed("error", errors);
    families.histogram("faststream_received_processed_messages_duration_seconds", "Time that handlers took.", labels,
                       stats.duration);
    const auto failed = [&](const std::string& error, std::uint64_t count) {
        families.counter("faststream_received_processed_messages_exceptions_total",
                         "Messages that failed, by the kind of the error.", with(labels, "exception_type", error),
                         count);
    };
    for (const auto& [error, count] : stats.error_kinds) failed(error, count);
    if (stats.declined > 0) failed("declined", stats.declined);
}

void add_published(Families& families, const Labels& labels, const PublisherStats& stats) {
    const auto published = [&](const char* status, std::uint64_t count) {
        families.counter("faststream_published_messages_total", "Messages that were published.",
                         with(labels, "status", status), count);
    };
    published("success", stats.published);
    published("error", stats.failed);
    families.histogram("faststream_published_messages_duration_seconds", "Time that publishing took.", labels,
                       stats.duration);
    for (const auto& [error, count] : stats.error_kinds) {
        families.counter("faststream_published_messages_exceptions_total",
                         "Messages that were not published, by the kind of the error.",
                         with(labels, "exception_type", error), count);
    }
}

}  // namespace

void add_faststream(Families& families, std::string_view app, std::string_view broker, const BrokerStats& stats) {
    const Labels common{{"app_name", std::string{app}}, {"broker", std::string{broker}}};
    // It has no label for a queue group, so subscribers of one subject are one series.
    std::vector<std::string> subjects;
    for (const auto& report : stats.by_subscriber) {
        if (std::ranges::find(subjects, report.subject) != subjects.end()) continue;
        subjects.push_back(report.subject);
        SubscriberStats sum;
        for (const auto& other : stats.by_subscriber)
            if (other.subject == report.subject) add_to(sum, other.stats);
        add_received(families, with(common, "handler", report.subject), sum);
    }
    for (const auto& publisher : stats.by_publisher)
        if (publisher.subject != "(reply)")
            add_published(families, with(common, "destination", publisher.subject), publisher);
}

}  // namespace freshet::detail
