// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/broker.hpp>

namespace freshet {

/// A program that is a service: reads the command line, runs the broker until a signal, and gives main() its exit code.
class App {
public:
    explicit App(Broker& broker) noexcept : broker_{&broker} {}

    /// Runs until SIGINT, SIGTERM or Broker::stop. Options: `--log-level LEVEL`, `--help`.
    /// Returns main()'s exit code: 0 after a clean stop, 1 when the broker could not start or did not finish in time (logged),
    /// 2 for a command line it does not understand. Does not throw.
    int run(int argc, char** argv) noexcept;
    /// The same without a command line, for programs that read their own.
    int run() noexcept;

private:
    Broker* broker_;
};

}  // namespace freshet
