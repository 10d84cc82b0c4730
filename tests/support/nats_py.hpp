// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "process.hpp"

namespace freshet::testing {

/// Python programs that use nats.py, for tests that share streams and buckets with it. $FRESHET_NATS_PY names a directory where it is,
/// besides those that Python looks in.
class NatsPy {
public:
    static bool is_there() { return run({"-c", "import nats.js"}).first == 0; }

    /// The exit code and what it prints.
    static std::pair<int, std::string> run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "/usr/bin/python3");
        std::vector<std::string> environment;
        if (const char* const directory = std::getenv("FRESHET_NATS_PY"))
            environment.push_back(std::string{"PYTHONPATH="} + directory);
        Process program{std::move(arguments), environment};
        const int code = program.wait();
        return {code, program.output()};
    }
};

}  // namespace freshet::testing
