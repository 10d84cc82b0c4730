// SPDX-License-Identifier: Apache-2.0
#include "notes.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace freshet::testing {
namespace {

constexpr std::chrono::seconds complaint_time{30};  // in real time
constexpr std::size_t most_broken = 20;             // a run that goes wrong says the same again and again

}  // namespace

void Notes::broken(std::string what) {
    const std::lock_guard lock{mutex_};
    if (broken_.size() < most_broken) broken_.push_back(std::move(what));
}

std::vector<std::string> Notes::taken() {
    const std::lock_guard lock{mutex_};
    return std::exchange(broken_, {});
}

void Notes::stored(std::string id) {
    const std::lock_guard lock{mutex_};
    stored_.insert(std::move(id));
}

void Notes::handled(std::string_view id) {
    const std::lock_guard lock{mutex_};
    handled_.emplace(id);
    changed_.notify_all();
}

std::vector<std::string> Notes::unhandled() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> unhandled;
    std::ranges::set_difference(stored_, handled_, std::back_inserter(unhandled));
    return unhandled;
}

std::size_t Notes::stored_count() const {
    const std::lock_guard lock{mutex_};
    return stored_.size();
}

bool Notes::all_handled() const { return std::ranges::includes(handled_, stored_); }

bool Notes::wait_until_handled(std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [this] { return all_handled(); });
}

Once::~Once() {
    if (calls_ != 1) notes_.broken(fmt::format("{} was called {} times", what_, calls_.load()));
}

Living::Token Living::token(std::string what) {
    const std::lock_guard lock{state_->mutex};
    return {nullptr, [state = state_, place = state_->left.insert(std::move(what))](void*) {
                const std::lock_guard guard{state->mutex};
                state->left.erase(place);
                state->changed.notify_all();
            }};
}

void Living::wait_until_gone() {
    std::unique_lock lock{state_->mutex};
    const auto gone = [this] { return state_->left.empty(); };
    if (state_->changed.wait_for(lock, complaint_time, gone)) return;
    for (const auto& what : state_->left) std::fprintf(stderr, "lifecycle: %s is left\n", what.c_str());
    state_->changed.wait(lock, gone);
}

}  // namespace freshet::testing
