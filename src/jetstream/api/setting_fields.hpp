// SPDX-License-Identifier: Apache-2.0
// Tables of settings: a struct of the public API has one function
//
//     template <class T, class Visit>
//         requires std::same_as<std::remove_const_t<T>, js::Placement>
//     void fields(T& value, Visit& visit) {
//         visit("cluster", value.cluster);
//         visit("tags", value.tags);
//     }
//
// with a line for each setting: its name in the API's JSON, its member, and its SettingTraits. The code that reads,
// writes or compares settings visits such a table, which it finds by argument-dependent lookup. It finds the names(E)
// of an enumeration's values in the same way.
#pragma once

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/detail/json/types.hpp>

#include "jetstream/api/json.hpp"
#include "jetstream/api/rfc3339.hpp"

namespace freshet::detail {

/// The properties of a setting beside its name and its value.
struct SettingTraits {
    std::string_view since = {};  ///< the first server that knows it; empty: 2.9 does
    bool fixed = false;           ///< servers refuse to change it once it is made
    bool at_creation = false;     ///< servers take it when it is made, and ignore it in a change
    /// Its default means that there is none, so Declare::reconcile takes it away where a declaration leaves it out.
    bool removable = false;
    bool simulated = false;  ///< the memory server of tests implements it; else that server refuses it by its name
};

/// A value of an enumeration in the API's JSON.
template <class E>
struct ValueName {
    E value;
    std::string_view name;
    std::string_view since = {};  ///< the first server that knows it; empty: any that knows the setting
};
template <class E>
using ValueNames = std::initializer_list<ValueName<E>>;

/// True if a setting is an object with settings of its own.
template <class T>
inline constexpr bool has_parts = !is_duration<T> && !std::same_as<T, std::chrono::system_clock::time_point> &&
                                  !std::is_enum_v<T> && !std::constructible_from<Json, const T&>;

/// Returns a time as Go writes it, without zeros at the end of the fraction, so that the server's answer is equal.
inline std::string setting_time_text(std::chrono::system_clock::time_point time) {
    auto text = format_rfc3339(time);
    text.pop_back();
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + 'Z';
}

/// Visits a table and writes the settings that are set into a JSON object.
struct SettingWriter {
    Json json = Json::object();

    /// Writes an object without fields as null: a server refuses some that are empty.
    template <class T>
    void operator()(const char* key, const std::optional<T>& value, const SettingTraits& = {}) {
        if (!value) return;
        auto& written = json[key] = encode(*value);
        if (written.is_object() && written.empty()) written = nullptr;
    }
    template <class T>
    void operator()(const char* key, const T& value, const SettingTraits& = {}) {
        if (value != T{}) json[key] = encode(value);
    }
    template <class T>
    void operator()(const char* key, const std::vector<T>& value, const SettingTraits& = {}) {
        if (value.empty()) return;
        auto& array = json[key] = Json::array();
        for (const auto& element : value) array.push_back(encode(element));
    }

    template <class T>
    static Json encode(const T& value) {
        if constexpr (is_duration<T>) {
            return std::chrono::nanoseconds{value}.count();
        } else if constexpr (std::same_as<T, std::chrono::system_clock::time_point>) {
            return setting_time_text(value);
        } else if constexpr (std::is_enum_v<T>) {
            for (const auto& known : names(T{}))
                if (known.value == value) return known.name;
            return {};
        } else if constexpr (!has_parts<T>) {
            return Json(value);
        } else {
            SettingWriter writer;
            fields(value, writer);
            return std::move(writer.json);
        }
    }
};

/// Visits a table and reads the settings that a JSON object has. Throws Json::exception for one of another type.
struct SettingReader {
    const Json& json;

    template <class T>
    void operator()(const char* key, std::optional<T>& value, const SettingTraits& = {}) const {
        T read{};
        if (const auto* found = find(key); found != nullptr && decode(*found, read)) value = std::move(read);
    }
    template <class T>
    void operator()(const char* key, T& value, const SettingTraits& = {}) const {
        if (const auto* found = find(key)) decode(*found, value);
    }
    template <class T>
    void operator()(const char* key, std::vector<T>& value, const SettingTraits& = {}) const {
        if (const auto* found = find(key))
            for (const auto& element : *found) decode(element, value.emplace_back());
    }

    /// Returns a member of the object; a null pointer if it is missing or null.
    const Json* find(const char* key) const {
        const auto found = json.find(key);
        return found == json.end() || found->is_null() ? nullptr : &*found;
    }

    /// Reads a value. Returns false, and reads nothing, for a value that this version of freshet does not know.
    template <class T>
    static bool decode(const Json& from, T& value) {
        if constexpr (is_duration<T>) {
            value = std::chrono::duration_cast<T>(std::chrono::nanoseconds{from.get<std::int64_t>()});
        } else if constexpr (std::same_as<T, std::chrono::system_clock::time_point>) {
            const auto time = parse_rfc3339(from.get<std::string>());
            if (!time) return false;
            value = *time;
        } else if constexpr (std::is_enum_v<T>) {
            const auto text = from.get<std::string>();
            for (const auto& known : names(T{})) {
                if (known.name != text) continue;
                value = known.value;
                return true;
            }
            return false;
        } else if constexpr (!has_parts<T>) {
            from.get_to(value);
        } else {
            const SettingReader reader{from};
            fields(value, reader);
        }
        return true;
    }
};

/// A line of a table, without its member.
struct SettingLine {
    std::string_view key;
    SettingTraits traits;
    bool duration = false;
    /// The values that only later servers know, each with the first server that knows it.
    std::vector<std::pair<std::string_view, std::string_view>> late_values = {};
    /// The lines of the object that the setting is, or of the objects that it lists.
    std::vector<SettingLine> parts = {};
};

/// Visits a table and gathers its lines.
struct SettingLines {
    std::vector<SettingLine> lines = {};

    template <class T>
    void operator()(const char* key, const std::optional<T>&, const SettingTraits& traits = {}) {
        add<T>(key, traits);
    }
    template <class T>
    void operator()(const char* key, const T&, const SettingTraits& traits = {}) {
        add<T>(key, traits);
    }
    template <class T>
    void operator()(const char* key, const std::vector<T>&, const SettingTraits& traits = {}) {
        add<T>(key, traits);
        lines.back().duration = false;
    }

private:
    template <class T>
    void add(const char* key, const SettingTraits& traits) {
        SettingLine line{.key = key, .traits = traits, .duration = is_duration<T>};
        if constexpr (std::is_enum_v<T>) {
            for (const auto& known : names(T{}))
                if (!known.since.empty()) line.late_values.emplace_back(known.name, known.since);
        } else if constexpr (has_parts<T>) {
            SettingLines parts;
            const T value{};
            fields(value, parts);
            line.parts = std::move(parts.lines);
        }
        lines.push_back(std::move(line));
    }
};

/// Returns the lines of a struct's table.
template <class T>
const std::vector<SettingLine>& setting_lines() {
    static const auto all = [] {
        SettingLines collected;
        const T value{};
        fields(value, collected);
        return std::move(collected.lines);
    }();
    return all;
}

}  // namespace freshet::detail
