// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/kv/entry.hpp>
#include <freshet/kv/watcher.hpp>

#include "../../support/wait.hpp"

namespace freshet::testing {

using Texts = std::vector<std::string>;

template <class T>
std::string text_of(const kv::Entry<T>& entry) {
    std::string text = std::string{kv::to_string(entry.operation)} + " " + entry.key;
    if constexpr (std::is_same_v<T, std::string>) text += " " + entry.value;
    return text;
}

/// Takes `count` entries, or fewer if no more come.
inline Texts read(kv::Watcher<std::string>& watcher, std::size_t count) {
    Texts texts;
    while (texts.size() < count) {
        const auto entry = watcher.next(std::chrono::seconds{20});
        if (!entry) break;
        texts.push_back(text_of(*entry));
    }
    return texts;
}

/// What handlers of several threads note.
class Notes {
public:
    void add(std::string text) {
        const std::lock_guard lock{mutex_};
        texts_.push_back(std::move(text));
    }
    Texts all() const {
        const std::lock_guard lock{mutex_};
        return texts_;
    }
    bool reach(const Texts& texts) const {
        return eventually([&] { return all() == texts; });
    }
    bool has(const std::string& text) const {
        return eventually([&] {
            const auto texts = all();
            return std::ranges::find(texts, text) != texts.end();
        });
    }

private:
    mutable std::mutex mutex_;
    Texts texts_;
};

/// Of three names, 20 texts each came in their order.
inline void check_order(const Notes& notes, const std::string& suffix = "") {
    CHECK(eventually([&] { return notes.all().size() == 60; }));
    for (const std::string name : {"a", "b", "c"}) {
        Texts seen;
        for (auto& text : notes.all())
            if (text.starts_with(name)) seen.push_back(text);
        REQUIRE(seen.size() == 20);
        for (std::size_t i = 0; i < 20; ++i) CHECK(seen[i] == name + "." + std::to_string(i) + suffix);
    }
}

}  // namespace freshet::testing
