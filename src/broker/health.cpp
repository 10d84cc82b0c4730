// SPDX-License-Identifier: Apache-2.0
#include <freshet/health.hpp>

#include <array>
#include <cstddef>

#include "base/quoted.hpp"

namespace freshet {

const char* to_string(Health::State state) noexcept {
    constexpr std::array names{"idle", "starting", "running", "reconnecting", "stopping", "stopped"};
    return names[static_cast<std::size_t>(state)];
}

std::vector<std::string> Health::problems() const {
    std::vector<std::string> problems;
    if (state != State::running)
        problems.push_back(reason.empty() ? to_string(state) : to_string(state) + (": " + reason));
    for (const auto& [server, why] : unreachable)
        if (why != reason) problems.push_back(why);
    for (const auto& [subject, why] : lost)
        problems.push_back("subscriber " + detail::quoted(subject) + ": " + std::string{why.message()});
    return problems;
}

}  // namespace freshet
