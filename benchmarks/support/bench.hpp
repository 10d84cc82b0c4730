// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What every benchmark program shares, whichever library it measures.
namespace bench {

/// The command line: `name=value` words.
struct Arguments {
    std::string url = "nats://127.0.0.1:4222";
    std::string lane = "bytes";  ///< bytes, order, nlohmann or glaze: what the body is, and who decodes it; put or get
    std::size_t size = 128;      ///< of a body of bytes
    long count = 100'000;        ///< messages or requests
    int outstanding = 1;         ///< requests in flight at a time
    int subscribers = 1;         ///< of one queue group
    int subjects = 1;            ///< as many subscribers, each of a subject of its own
    int brokers = 1;             ///< the subscribers are spread over as many connections
    int batch = 1'000;           ///< messages of an atomic batch or a fetch
    int headers = 0;             ///< of each message
    int confirm = 1;             ///< 0: results are published without confirmation
    int metrics = 0;             ///< 1: the broker has Metrics, which nobody reads
    long rate = 0;               ///< messages per second; 0: as many as possible
    std::size_t buffer = 256 << 10;  ///< of the connection, in bytes
    std::string dispatch =
        "pool";  ///< pool, dedicated, workers or ordered: on which threads; threads: ask from threads
    std::string envelope = "minimal";  ///< or full
};
/// Ends the program with a message for a word it does not know.
Arguments parse(int argc, char** argv);

/// The body to send: the JSON of an order (179 bytes) in the lanes of JSON, else `size` bytes.
std::string body_of(const Arguments& arguments);

/// Where messages go: the subject `bench.x`, or as many as `subjects` says below it.
std::vector<std::string> subjects_of(const Arguments& arguments);

/// Tells the runner that messages can come.
void say_ready();

/// Time and CPU between its making and report().
class Measurement {
public:
    Measurement();
    /// Prints one line of JSON for the runner. Latencies, if any, one per request.
    void report(long messages, std::vector<std::chrono::nanoseconds> latencies = {});

private:
    std::chrono::steady_clock::time_point begin_;
    double cpu_begin_;
};

/// Says when the next message is due, `rate` times a second, whatever became of those before.
class Pacer {
public:
    explicit Pacer(long rate);
    /// Waits until it is due. Who was late finds that out: latencies count from the time returned.
    std::chrono::steady_clock::time_point next();

private:
    std::chrono::nanoseconds interval_;
    std::chrono::steady_clock::time_point due_;
};

/// A message due at a time carries that in front.
void write_due(std::string& body, std::chrono::steady_clock::time_point due);
/// How long ago it was due.
std::chrono::nanoseconds since_due(std::string_view body);

}  // namespace bench
