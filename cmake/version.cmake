# SPDX-License-Identifier: Apache-2.0
# version.hpp is an ordinary file, which needs no build to be read: this keeps it in step with project(VERSION).
file(STRINGS include/freshet/version.hpp freshet_version_lines REGEX "#define FRESHET_VERSION_(MAJOR|MINOR|PATCH) ")
list(TRANSFORM freshet_version_lines REPLACE "[^0-9]+" "")
list(JOIN freshet_version_lines "." freshet_header_version)
if(NOT freshet_header_version VERSION_EQUAL PROJECT_VERSION)
    message(FATAL_ERROR "include/freshet/version.hpp says ${freshet_header_version}, project() in CMakeLists.txt says "
        "${PROJECT_VERSION}: write the same version in both")
endif()
