// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace freshet {

/// What a reader of a service is told about one of its parts: `.about = {.title = "New orders", .tags = {"billing"}}`.
/// It changes nothing in what the part does; see docs/describe.md.
struct About {
    std::string title = {};              ///< a few words
    std::string text = {};               ///< sentences; may be Markdown
    std::vector<std::string> tags = {};  ///< words to group parts by
    bool deprecated = false;             ///< true: new programs should not use it

    friend bool operator==(const About&, const About&) = default;
};

}  // namespace freshet
