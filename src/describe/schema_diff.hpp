// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <freshet/diff.hpp>

#include "describe/json.hpp"

namespace freshet::detail {

/// Compares JSON Schemas: which values does one of them take that the other does not?
class SchemaDiff {
public:
    SchemaDiff(const Description& before, const Description& after) : before_{before}, after_{after} {}

    /// Adds the changes between two schemas; `where` names the message. Change::impact stays safe.
    void compare(const std::string& before, const std::string& after, const std::string& where,
                 std::vector<Change>& changes);

private:
    struct At;

    /// Follows references, and takes single wrappers such as allOf off.
    static Json resolved(const Json& schema, const Description& description);
    void compare(const Json& before, const Json& after, const std::string& where);
    void compare_once(const Json& before, const Json& after, const std::string& where);
    /// Returns false if the values are of other types, so that there is nothing more to compare.
    bool compare_type(const Json& before, const Json& after, const std::string& where);
    void compare_values(const Json& before, const Json& after, const std::string& where);
    void compare_limits(const Json& before, const Json& after, const std::string& where);
    void compare_members(const Json& before, const Json& after, const std::string& where);
    void compare_elements(const Json& before, const Json& after, const std::string& where);
    void compare_alternatives(const Json& before, const Json& after, const std::string& where, const char* key);
    /// More values are allowed: senders are well, receivers may get what they do not know.
    void wider(const std::string& where, std::string what);
    /// Fewer values are allowed.
    void narrower(const std::string& where, std::string what);
    void add(const std::string& where, std::string what, Impact consumer, Impact producer);

    const Description& before_;
    const Description& after_;
    std::set<std::pair<std::string, std::string>> active_ = {};  // the pairs of schemas that are being compared
    std::vector<Change>* changes_ = nullptr;
};

}  // namespace freshet::detail
