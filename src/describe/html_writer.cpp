// SPDX-License-Identifier: Apache-2.0
#include "describe/html_writer.hpp"

namespace freshet::detail {

void HtmlWriter::text(std::string_view content) {
    for (const char c : content) {
        switch (c) {
            case '&': out_ += "&amp;"; break;
            case '<': out_ += "&lt;"; break;
            case '>': out_ += "&gt;"; break;
            case '"': out_ += "&quot;"; break;
            default: out_ += c;
        }
    }
}

void HtmlWriter::link(std::string_view id, std::string_view content) {
    const std::string target = '#' + std::string{id};
    element("a", {{"href", target}}, content);
}

void HtmlWriter::open(std::string_view name, Attributes attributes) {
    out_ += '<';
    out_ += name;
    for (const auto& [key, value] : attributes) {
        out_ += ' ';
        out_ += key;
        out_ += "=\"";
        text(value);
        out_ += '"';
    }
    out_ += '>';
}

void HtmlWriter::close(std::string_view name) {
    out_ += "</";
    out_ += name;
    out_ += '>';
}

}  // namespace freshet::detail
