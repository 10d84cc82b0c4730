// SPDX-License-Identifier: Apache-2.0
#include "base/random_id.hpp"

#include <random>
#include <string_view>

namespace freshet::detail {

std::string random_id(std::size_t size) {
    static constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    thread_local std::mt19937_64 random{[] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
        return std::mt19937_64{seed};
    }()};
    std::uniform_int_distribution<std::size_t> index{0, alphabet.size() - 1};
    std::string id(size, '0');
    for (char& c : id) c = alphabet[index(random)];
    return id;
}

}  // namespace freshet::detail
