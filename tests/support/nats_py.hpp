// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "process.hpp"

namespace freshet::testing {

/// Python programs that use nats.py, for tests that share streams and buckets with it. it is where Python looks, in the
/// directory $FRESHET_NATS_PY, or where ./dev puts it.
class NatsPy {
public:
    static bool is_there() { return run({"-c", "import nats.js"}).first == 0; }

    /// The exit code and what it prints.
    static std::pair<int, std::string> run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "/usr/bin/python3");
        const char* const directory = std::getenv("FRESHET_NATS_PY");
        Process program{std::move(arguments),
                        {std::string{"PYTHONPATH="} + (directory == nullptr ? "/opt/nats-py" : directory)}};
        const int code = program.wait();
        return {code, program.output()};
    }
};

}  // namespace freshet::testing
