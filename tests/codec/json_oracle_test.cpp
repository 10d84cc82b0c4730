// SPDX-License-Identifier: Apache-2.0
// freshet's parsers beside nlohmann's: every short text over small alphabets, damaged documents, and mutations.
#include <random>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <freshet/codec.hpp>
#include <freshet/nlohmann.hpp>

#include "codec_support.hpp"
#include "mutations.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace {

/// Calls `use` with every text of up to `longest` characters of the alphabet.
template <class Use>
void for_each_text(std::string_view alphabet, std::size_t longest, const Use& use) {
    std::string text;
    const auto extend = [&](const auto& self) -> void {
        use(text);
        if (text.size() == longest) return;
        for (const char c : alphabet) {
            text.push_back(c);
            self(self);
            text.pop_back();
        }
    };
    extend(extend);
}

/// Two NaN are shown alike, though they are not equal.
std::string shown(const nlohmann::json& json) {
    return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

Expected<nlohmann::json> read_json_value(std::string_view body, Format format) {
    nlohmann::json value;
    if (auto done = detail::decode_body(as_bytes(body), content_type(format), value); !done)
        return std::unexpected{done.error()};
    return value;
}

/// The one difference that is meant: a number beyond a double is well-formed, though no nlohmann::json.
void check_text(const std::string& text) {
    const auto ours = read_json_value(text, Format::json);
    const auto theirs = nlohmann::json::parse(text, nullptr, false);
    const bool same = ours.has_value() != theirs.is_discarded() && (!ours || *ours == theirs);
    if (!same) FAIL_CHECK("another verdict or value than nlohmann's for " << text);
}

/// Nothing of the types that MessagePack's extensions have: freshet does not keep them.
void forget_subtypes(nlohmann::json& json) {
    if (json.is_binary()) json.get_binary().clear_subtype();
    if (json.is_structured()) {
        for (auto& element : json) forget_subtypes(element);
    }
}

nlohmann::json read_by_nlohmann(const std::string& body, Format format) {
    try {
        auto json = format == Format::cbor ? nlohmann::json::from_cbor(body) : nlohmann::json::from_msgpack(body);
        forget_subtypes(json);
        return json;
    } catch (const nlohmann::json::exception&) { return nlohmann::json::value_t::discarded; }
}

/// A negative number below 64 bits in CBOR, of which nlohmann makes a positive one.
bool has_lowest(std::string_view body) {
    for (auto at = body.find('\x3b'); at < body.size() - 1; at = body.find('\x3b', at + 1)) {
        if (static_cast<unsigned char>(body[at + 1]) >= 0x80) return true;
    }
    return false;
}

/// What nlohmann reads, freshet reads, and as the same; but its strings are UTF-8.
void check_bytes(const std::string& body, Format format) {
    if (format == Format::cbor && has_lowest(body)) return;
    const auto theirs = read_by_nlohmann(body, format);
    if (theirs.is_discarded()) return;
    const auto ours = read_json_value(body, format);
    if (!ours && ours.error().message().ends_with("a string is not UTF-8")) return;
    const bool same = ours && (*ours == theirs || shown(*ours) == shown(theirs));
    if (!same) FAIL_CHECK("another verdict or value than nlohmann's for " << shown(nlohmann::json(body)));
}

std::string random_bytes(std::mt19937& random) {
    std::string body(1 + random() % 12, '\0');
    for (char& c : body) c = static_cast<char>(random());
    return body;
}

}  // namespace

TEST_CASE("every short text of numbers is judged and read as nlohmann does") {
    for_each_text("019-.e+", 5, check_text);
}

TEST_CASE("every short text of brackets is judged and read as nlohmann does") {
    for_each_text("[]{},:\"a 1", 5, check_text);
}

TEST_CASE("every short text of literals is judged and read as nlohmann does") {
    for (const std::string literal : {"true", "false", "null"}) {
        for_each_text("tn ,", 2, [&](const std::string& text) {
            for (std::size_t cut = 1; cut <= literal.size(); ++cut) check_text(literal.substr(0, cut) + text);
        });
    }
}

TEST_CASE("every short string is judged and read as nlohmann does") {
    for_each_text("\\u\"a\x01\x7f\xc3\xa9/", 4, [](const std::string& text) { check_text('"' + text + '"'); });
    for_each_text("\\ud8c0e", 6, [](const std::string& text) { check_text("\"\\" + text + '"'); });
    for (const std::string first : {"\\ud83d", "\\ude00", "\\u0041", "\\uD83D", "\\u00e9", "x"}) {
        for (const std::string second : {"\\ude00", "\\ud83d", "\\uDE00", "\\u0041", "\\n", "x", "\\ude0", ""}) {
            check_text('"' + first + second + '"');
            check_text("[\"12345678" + first + second + "12345678\"]");
        }
    }
}

TEST_CASE("strings of every length and place of a byte are judged as nlohmann does") {
    for (std::size_t size = 1; size < 20; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const std::string piece :
                 {"\"", "\\", "\x1f", "\x80", "\xff", "é", "€", "😀", "\xed\xa0\x80", "\\n"}) {
                std::string text(size, 'x');
                check_text("{\"" + text.replace(at, 1, piece) + "\":1}");
            }
        }
    }
}

TEST_CASE("damaged documents are judged and read as nlohmann does") {
    const std::string document =
        R"({"id":"a\u00e9\n1","amount":-10.5e2,"lines":[{"sku":"x","qty":[]},{},null,true,false],"é":"😀"} )";
    std::mt19937 random{21};
    for (int round = 0; round < 20'000; ++round) {
        std::string damaged = document;
        for (auto hits = 1 + random() % 3; hits > 0; --hits) {
            const auto at = random() % damaged.size();
            if (random() % 3 == 0) damaged.erase(at, 1);
            else damaged[at] = document[random() % document.size()];
        }
        check_text(damaged);
    }
}

TEST_CASE("short bodies in MessagePack and CBOR are read as nlohmann does") {
    std::mt19937 random{22};
    for (const Format format : {Format::messagepack, Format::cbor}) {
        for (int first = 0; first < 256; ++first) {
            check_bytes({static_cast<char>(first)}, format);
            for (int second = 0; second < 256; ++second)
                check_bytes({static_cast<char>(first), static_cast<char>(second)}, format);
        }
        for (int round = 0; round < 20'000; ++round) check_bytes(random_bytes(random), format);
        nlohmann::json document = {{"a", {1, -1, 1.5, "x", nullptr, true}}, {"b", {{"c", 300}, {"d", -70000}}}};
        document["e"] = nlohmann::json::binary({1, 2, 3});
        const auto bytes =
            format == Format::cbor ? nlohmann::json::to_cbor(document) : nlohmann::json::to_msgpack(document);
        for (int round = 0; round < 20'000; ++round) {
            std::string damaged{bytes.begin(), bytes.end()};
            for (auto hits = 1 + random() % 3; hits > 0; --hits)
                damaged[random() % damaged.size()] = static_cast<char>(random());
            check_bytes(damaged, format);
        }
    }
}

TEST_CASE("mutations of the table of cases are read as nlohmann does") {
    for_each_mutation(30, [](const std::string& body, Format format) {
        if (format != Format::json) check_bytes(body, format);
        else if (!body.contains('\0')) check_text(body);  // nlohmann takes a NUL for the end of the text
    });
}

TEST_CASE("a value read from mutated MessagePack or CBOR is read by nlohmann when freshet has written it") {
    for_each_mutation(30, [](const std::string& body, Format format) {
        if (format == Format::json) return;
        const auto ours = read_json_value(body, format);
        if (!ours) return;
        const auto theirs = read_by_nlohmann(written(*ours, format), format);
        if (shown(*ours) != shown(theirs))
            FAIL_CHECK("nlohmann reads another value than freshet wrote: " << shown(*ours));
    });
}
