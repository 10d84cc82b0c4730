// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/describe.hpp>

#include "describe/html_writer.hpp"
#include "describe/json.hpp"

namespace freshet::detail {

/// Writes JSON Schemas for readers: a line for each member, which unfolds where there is more to say.
class HtmlSchemas {
public:
    HtmlSchemas(HtmlWriter& html, const Description& description);

    /// Writes a schema: its type, and its members if it has some.
    void write(std::string_view text);
    /// Writes the type of a schema, in one line.
    void write_type(std::string_view text);
    /// Writes what a named type of the description is.
    void write_named(const std::string& name);
    /// Returns the id of the section of a named type.
    static std::string id_of(std::string_view name) { return "schema-" + std::string{name}; }

private:
    void type(const Json& schema);
    void joined(const Json& list, std::string_view separator);
    void limits(const Json& schema);
    void notes(const Json& schema);
    void member(const std::string& name, const Json& schema, bool required);
    void members(const Json& schema);
    void inside(const Json& schema);
    void alternatives(const Json& list);
    static std::string named(const Json& schema);
    /// Returns whether there is more to say of a schema than its type: members of it, or of what it is made of.
    bool unfolds(const Json& schema);

    HtmlWriter& html_;
    std::map<std::string, Json, std::less<>> schemas_ = {};
    std::vector<std::string> open_ = {};  // named types that are being written: a type may have members of its own type
};

}  // namespace freshet::detail
