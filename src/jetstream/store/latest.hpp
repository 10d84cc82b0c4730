// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace freshet::detail {

/// Keeps only the last entry of each key, in their order. An entry that is written during the read comes twice.
template <class T>
void keep_latest(std::vector<T>& all, std::string T::* key) {
    std::unordered_set<std::string_view> seen;
    std::vector<bool> superseded(all.size());
    for (auto place = all.size(); place-- > 0;) superseded[place] = !seen.insert(all[place].*key).second;
    std::erase_if(all,
                  [&, begin = all.data()](const T& one) { return superseded[static_cast<std::size_t>(&one - begin)]; });
}

}  // namespace freshet::detail
