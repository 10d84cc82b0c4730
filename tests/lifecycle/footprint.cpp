// SPDX-License-Identifier: Apache-2.0
#include "footprint.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <malloc.h>
#include <unistd.h>

namespace freshet::testing {

Footprint Footprint::now() {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    std::size_t size = 0;
    std::size_t resident = 0;
    std::ifstream{"/proc/self/statm"} >> size >> resident;
    return {.threads = static_cast<std::size_t>(std::distance(begin(tasks), end(tasks))),
            .resident = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024,
            .in_use = mallinfo2().uordblks / 1024};
}

}  // namespace freshet::testing
