// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace freshet::testing {

/// A program that a test runs, what it writes (to both stdout and stderr) kept. It is killed if it outlives its object
/// or the thread that started it. Functions throw std::runtime_error with the program's output. Not thread-safe.
class Process {
public:
    /// @param command      the program's path and its arguments
    /// @param environment  `NAME=value`, added to the test's own environment
    explicit Process(std::vector<std::string> command, const std::vector<std::string>& environment = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    pid_t pid() const { return pid_; }
    /// What it wrote so far.
    std::string output() const;
    /// Waits until it has written `text`.
    void wait_for(std::string_view text);
    /// Waits until it has ended; its exit code, or 128 and the number of the signal that ended it.
    int wait();
    void signal(int number) const;
    /// Asks it to end, as an operator does, and waits for it.
    int terminate();

private:
    bool ended();

    std::string program_;
    std::filesystem::path log_;
    pid_t pid_ = 0;
    int exit_code_ = -1;
};

}  // namespace freshet::testing
