# SPDX-License-Identifier: Apache-2.0
# Warnings for freshet's own code. Linked with $<BUILD_INTERFACE:...>: no user of the library inherits them.
add_library(freshet_warnings INTERFACE)
if(FRESHET_WERROR)
    target_compile_options(freshet_warnings INTERFACE
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
endif()
