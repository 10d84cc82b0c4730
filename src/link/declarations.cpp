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

std::vector<Declarations::One> Declarations::all() const {
    const std::lock_guard lock{mutex_};
    return all_;
}

void declare_outgoing(Link& link, std::string_view subject, const OutgoingShape& shape, std::optional<Format> format,
                      About about) {
    link.declarations().add({std::string{subject}, &shape, format, std::move(about)});
}

}  // namespace freshet::detail
