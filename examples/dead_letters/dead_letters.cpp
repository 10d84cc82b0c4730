// SPDX-License-Identifier: Apache-2.0
// Looks after the dead letters of any stream:
//
//     dead_letters STREAM list [SUBJECT]      those of messages on SUBJECT, which may have wildcards
//     dead_letters STREAM show NUMBER
//     dead_letters STREAM retry NUMBER
//     dead_letters STREAM retry all [SUBJECT]
//     dead_letters STREAM drop NUMBER
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

namespace js = freshet::js;

namespace {

void print(std::string_view line) { std::printf("%.*s\n", static_cast<int>(line.size()), line.data()); }

std::string line_of(const js::DeadLetter& letter) {
    return std::to_string(letter.sequence()) + "  " + std::string{letter.original_subject()} + "  given up by " +
           std::string{letter.original_consumer()} + " after " + std::to_string(letter.deliveries()) +
           " deliveries: " + std::string{letter.reason()};
}

void show(const js::DeadLetter& letter) {
    print(line_of(letter));
    for (const auto& [name, value] : letter.original_headers()) print(name + ": " + value);
    print(letter.text());
}

int retry_all(const js::DeadLetters& letters, const js::DeadLetterFilter& filter) {
    const auto retries = letters.retry_all(filter);
    print("retried " + std::to_string(retries.retried));
    for (const auto& failed : retries.failed) std::fprintf(stderr, "%s\n", failed.error.what());
    return retries.failed.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto word = [&](std::size_t index) { return index < words.size() ? words[index] : std::string{}; };
    const auto number = freshet::FromText<std::uint64_t>::parse(word(2));
    const bool all = word(1) == "list" || (word(1) == "retry" && word(2) == "all");
    if (!all && !number) {
        std::fprintf(stderr, "usage: dead_letters STREAM list|show|retry|drop [NUMBER|all] [SUBJECT]\n");
        return EXIT_FAILURE;
    }
    freshet::Broker broker;
    broker.start();
    const js::DeadLetters letters{broker, word(0)};
    if (word(1) == "list") {
        for (const auto& letter : letters.list({.subject = word(2)})) print(line_of(letter));
    } else if (all) {
        return retry_all(letters, {.subject = word(3)});
    } else if (word(1) == "show") {
        show(letters.show(*number));
    } else if (word(1) == "retry") {
        const auto ack = letters.retry(*number);
        print("message " + std::to_string(ack.sequence) + " of " + ack.stream + (ack.duplicate ? ", as before" : ""));
    } else if (word(1) == "drop") {
        letters.drop(*number);
    }
    return EXIT_SUCCESS;
} catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
