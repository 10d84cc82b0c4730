// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace freshet::detail {

/// Writes HTML whose elements are closed and whose texts are escaped. `raw` alone writes what it is given.
class HtmlWriter {
public:
    using Attribute = std::pair<std::string_view, std::string_view>;
    using Attributes = std::initializer_list<Attribute>;

    /// Writes an element around what `inside` writes.
    void element(std::string_view name, Attributes attributes, std::invocable auto&& inside) {
        open(name, attributes);
        inside();
        close(name);
    }
    void element(std::string_view name, std::invocable auto&& inside) { element(name, {}, inside); }
    /// Writes an element around a text.
    void element(std::string_view name, Attributes attributes, std::string_view content) {
        open(name, attributes);
        text(content);
        close(name);
    }
    void element(std::string_view name, std::string_view content) { element(name, {}, content); }

    /// Writes a text, escaped.
    void text(std::string_view content);
    /// Writes a link within the page.
    void link(std::string_view id, std::string_view content);
    /// Writes markup as it is, which must not come from a program's declarations.
    void raw(std::string_view markup) { out_ += markup; }

    std::string take() && { return std::move(out_); }

private:
    void open(std::string_view name, Attributes attributes);
    void close(std::string_view name);

    std::string out_ = {};
};

}  // namespace freshet::detail
