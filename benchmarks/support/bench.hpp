// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// What every benchmark program shares, whichever library it measures.
namespace bench {

/// The command line: `name=value` words.
struct Arguments {
    std::string url = "nats://127.0.0.1:4222";
    std::string lane = "bytes";  ///< bytes, nlohmann or glaze: what the body is, and who decodes it
    std::size_t size = 128;      ///< of a body of bytes
    long count = 100'000;        ///< messages or requests
    int outstanding = 1;         ///< requests in flight at a time
    int subscribers = 1;         ///< of one queue group
};
/// Ends the program with a message for a word it does not know.
Arguments parse(int argc, char** argv);

/// The body to send: `size` bytes, or the JSON of an order (179 bytes) in the other lanes.
std::string body_of(const Arguments& arguments);

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

}  // namespace bench
