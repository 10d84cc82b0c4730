// SPDX-License-Identifier: Apache-2.0
#include "link/declarations.hpp"

#include <algorithm>
#include <utility>

#include "link/link.hpp"

namespace freshet::detail {

void Declarations::add(One one) {
    const std::lock_guard lock{mutex_};
    if (all_.size() < most && std::ranges::find(all_, one) == all_.end()) all_.push_back(std::move(one));
}

void Declarations::change(std::string_view subject, const OutgoingShape& before, const OutgoingShape& now) {
    const std::lock_guard lock{mutex_};
    for (auto& one : all_)
        if (one.subject == subject && one.shape == &before) one.shape = &now;
}

std::vector<Declarations::One> Declarations::all() const {
    const std::lock_guard lock{mutex_};
    return all_;
}

void declare_outgoing(Link& link, std::string_view subject, const OutgoingShape& shape, std::optional<Format> format,
                      About about) {
    link.declarations().add({std::string{subject}, &shape, format, std::move(about)});
}

void redeclare_outgoing(Link& link, std::string_view subject, const OutgoingShape& before, const OutgoingShape& now) {
    link.declarations().change(subject, before, now);
}

}  // namespace freshet::detail
