// SPDX-License-Identifier: Apache-2.0
// Puts files into the object store "drop": `drop_file FILE...`. Removes them again: `drop_file --erase NAME...`.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

int main(int argc, char** argv) try {
    freshet::Broker broker;
    broker.start();
    auto drop = broker.object_store("drop");

    const bool erase = argc > 1 && std::string_view{argv[1]} == "--erase";
    for (int i = erase ? 2 : 1; i < argc; ++i) {
        const std::filesystem::path file{argv[i]};
        const auto name = file.filename().string();
        if (erase) {
            drop.erase(name);
            continue;
        }
        const auto info = drop.put_file(name, file, {.progress = [&](const freshet::obj::Progress& progress) {
                                            std::fprintf(stderr, "\r%s: %llu bytes", name.c_str(),
                                                         static_cast<unsigned long long>(progress.bytes));
                                        }});
        std::fprintf(stderr, "\n");
        std::printf("%s: %llu bytes, %s\n", name.c_str(), static_cast<unsigned long long>(info.size),
                    info.digest.c_str());
    }
    return EXIT_SUCCESS;
} catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
