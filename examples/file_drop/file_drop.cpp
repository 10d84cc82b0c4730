// SPDX-License-Identifier: Apache-2.0
// A drop: files that anybody puts into the object store "drop" appear in a directory here, and go when they are erased there.
// `file_drop` writes into $DROP_DIRECTORY, or the current one.
#include <cstdlib>
#include <filesystem>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

namespace fs = std::filesystem;
namespace obj = freshet::obj;

namespace {

/// A name is any text: only its last part counts, so that it leads nowhere else.
fs::path place(const obj::Info& info) {
    const char* directory = std::getenv("DROP_DIRECTORY");
    return fs::path{directory != nullptr ? directory : "."} / fs::path{info.name}.filename();
}

void follow(const obj::Info& info, freshet::Broker& broker, freshet::Logger& log) {
    const auto file = place(info);
    if (const auto name = file.filename(); name.empty() || name == "." || name == "..") return;
    if (info.deleted) {
        fs::remove(file);
        log.info("{} is gone", info.name);
        return;
    }
    // The file is there when it is complete, and its digest is right.
    broker.object_store("drop").get_file(info.name, file);
    log.info("{} has arrived: {} bytes", info.name, info.size);
}

}  // namespace

void wire(freshet::Broker& broker) {
    broker.subscriber(obj::Watch{.bucket = "drop", .dedicated = true}).handle(&follow);
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
