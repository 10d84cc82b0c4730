// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wait.hpp"

namespace freshet::testing {
namespace {

constexpr int signal_base = 128;
constexpr int exit_not_started = 127;

std::filesystem::path make_log() {
    auto name = (std::filesystem::temp_directory_path() / "freshet-process-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    if (fd < 0) throw std::system_error{errno, std::generic_category(), "cannot make " + name};
    ::close(fd);
    return name;
}

/// As execve wants them; valid as long as `words`.
std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    std::ranges::transform(words, std::back_inserter(list), [](std::string& word) { return word.data(); });
    list.push_back(nullptr);
    return list;
}

/// The test's own environment, without what `added` sets, and `added`.
std::vector<std::string> environment_with(const std::vector<std::string>& added) {
    std::vector<std::string> all = added;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto name = text.substr(0, text.find('=') + 1);
        if (std::ranges::none_of(added, [&](const std::string& own) { return own.starts_with(name); }))
            all.emplace_back(text);
    }
    return all;
}

/// In the child: only async-signal-safe calls.
[[noreturn]] void run_program(char* const command[], char* const environment[], const char* log, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(exit_not_started);  // it died before the line above
    const int fd = ::open(log, O_WRONLY | O_APPEND);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execve(command[0], command, environment);
    ::_exit(exit_not_started);
}

}  // namespace

Process::Process(std::vector<std::string> command, const std::vector<std::string>& environment)
    : program_{command.at(0)}, log_{make_log()} {
    auto variables = environment_with(environment);
    const auto command_pointers = pointers(command);
    const auto variable_pointers = pointers(variables);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) run_program(command_pointers.data(), variable_pointers.data(), log_.c_str(), parent);
    if (child < 0) throw std::system_error{errno, std::generic_category(), "cannot fork"};
    pid_ = child;
}

Process::~Process() {
    if (pid_ != 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove(log_, ignored);
}

std::string Process::output() const {
    std::ifstream in{log_, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void Process::wait_for(std::string_view text) {
    const auto found = [&] { return output().find(text) != std::string::npos; };
    const bool seen = eventually([&] { return found() || ended(); });
    if (found()) return;
    const std::string what = seen ? " ended without writing \"" : " did not write \"";
    throw std::runtime_error{program_ + what + std::string{text} + "\":\n" + output()};
}

int Process::wait() {
    if (!eventually([&] { return ended(); })) throw std::runtime_error{program_ + " does not end:\n" + output()};
    return exit_code_;
}

void Process::signal(int number) const {
    if (pid_ == 0) throw std::runtime_error{program_ + " has ended:\n" + output()};
    ::kill(pid_, number);
}

int Process::terminate() {
    signal(SIGTERM);
    return wait();
}

bool Process::ended() {
    int status = 0;
    if (pid_ == 0) return true;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = 0;
    exit_code_ = WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

}  // namespace freshet::testing
