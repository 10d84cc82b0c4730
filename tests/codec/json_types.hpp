// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <freshet/json.hpp>

namespace shop {

struct Line {
    std::string sku = {};
    int qty = 0;
    double price = 0;

    bool operator==(const Line&) const = default;
};
FRESHET_JSON(Line, sku, (qty, or_default), (price, "unitPrice", or_default));

enum class Status { open, in_progress, closed = 7 };
FRESHET_ENUM(Status, open, (in_progress, "in-progress"), closed);

enum class Level : std::uint8_t { low = 1, high = 255 };

struct Order {
    std::string id = {};
    double amount = 0;
    std::vector<Line> lines = {};
    std::optional<std::string> note = {};
    Status status = Status::open;
    Level level = Level::low;
    std::map<std::string, int> counts = {};

    bool operator==(const Order&) const = default;
};
FRESHET_JSON(Order, id, amount, (lines, or_default), note, (status, or_default), (level, freshet::or_default),
             (counts, or_default));

struct Node {
    std::string name = {};
    std::vector<Node> children = {};

    bool operator==(const Node&) const = default;
};
FRESHET_JSON(Node, name, (children, or_default));

struct Nothing {
    bool operator==(const Nothing&) const = default;
};
FRESHET_JSON(Nothing);

struct Every {
    bool flag = false;
    std::int8_t i8 = 0;
    std::int16_t i16 = 0;
    std::int32_t i32 = 0;
    std::int64_t i64 = 0;
    std::uint8_t u8 = 0;
    std::uint16_t u16 = 0;
    std::uint32_t u32 = 0;
    std::uint64_t u64 = 0;
    float f32 = 0;
    double f64 = 0;
    std::string text = {};
    std::array<int, 3> three = {};
    std::vector<bool> bits = {};
    std::deque<std::string> queue = {};
    std::set<std::string> tags = {};
    std::unordered_map<std::string, Line> lines = {};
    std::optional<Nothing> nothing = {};
    std::vector<std::optional<int>> gaps = {};
    std::optional<std::vector<std::map<std::string, Status>>> deep = {};

    bool operator==(const Every&) const = default;
};
FRESHET_JSON(Every, flag, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, text, three, bits, queue, tags, lines,
             nothing, gaps, deep);

class Account {
public:
    Account() = default;
    explicit Account(int balance) : balance_{balance} {}
    int balance() const { return balance_; }

private:
    int balance_ = 0;
    friend FRESHET_JSON(Account, (balance_, "balance"));
};

template <class T>
struct Page {
    std::vector<T> items = {};
    std::optional<std::string> next = {};

    friend FRESHET_JSON(Page, items, next);
};

struct Base {
    int id = 0;
};
FRESHET_JSON(Base, id);

struct Derived : Base {
    int extra = 0;
};
FRESHET_JSON(Derived, id, extra);

struct Undeclared : Base {};

}  // namespace shop
