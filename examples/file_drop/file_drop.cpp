// SPDX-License-Identifier: Apache-2.0
// Copies the files of the object store "drop" into a directory: a file appears here when somebody puts it into the
// store, and goes when somebody erases it there. Writes into $DROP_DIRECTORY, or into the current directory.
#include <cstdlib>
#include <filesystem>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

namespace fs = std::filesystem;
namespace obj = freshet::obj;

namespace {

/// Returns the path for an object. Its name is any text, so only the last part counts: no name leads out of the
/// directory.
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
    // The file appears when it is complete and its digest is right.
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
