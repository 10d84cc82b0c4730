// SPDX-License-Identifier: Apache-2.0
#include "base/signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include <freshet/error.hpp>

namespace freshet::detail {
namespace {

// A signal handler may call little more than write(), so it writes the number into a pipe that wait() reads.
volatile std::sig_atomic_t signals_seen = 0;
int pipe_ends[2] = {-1, -1};
std::atomic_flag in_use;

extern "C" void freshet_on_signal(int number) {
    const int saved = errno;
    if (signals_seen != 0) _exit(128 + number);
    signals_seen = 1;
    const auto byte = static_cast<unsigned char>(number);
    (void)!write(pipe_ends[1], &byte, 1);
    errno = saved;
}

}  // namespace

SignalWatch::SignalWatch() {
    if (in_use.test_and_set())
        raise({Errc::bad_setup,
               "run: another broker or App of this process is in run() and waits for signals; use run() "
               "once, and start() for the other brokers"});
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        const std::error_code why{errno, std::generic_category()};
        in_use.clear();
        raise({why, "run: cannot make a pipe for signals: " + why.message()});
    }
    signals_seen = 0;
    struct sigaction action = {};
    action.sa_handler = &freshet_on_signal;
    action.sa_flags = SA_RESTART;  // the signal may interrupt any thread, also one that is reading or writing
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
}

SignalWatch::~SignalWatch() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    in_use.clear();
}

int SignalWatch::wait() {
    unsigned char byte = 0;
    while (read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR) {}
    return byte;
}

void SignalWatch::wake() noexcept {
    const unsigned char byte = 0;
    (void)!write(pipe_ends[1], &byte, 1);
}

}  // namespace freshet::detail
