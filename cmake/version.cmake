# SPDX-License-Identifier: Apache-2.0
# version.hpp and vcpkg.json are ordinary files, readable without a build: this keeps them in step with
# project(VERSION).

file(STRINGS include/freshet/version.hpp freshet_version_lines REGEX "#define FRESHET_VERSION_(MAJOR|MINOR|PATCH) ")
list(TRANSFORM freshet_version_lines REPLACE "[^0-9]+" "")
list(JOIN freshet_version_lines "." freshet_header_version)
file(READ vcpkg.json freshet_vcpkg)
string(JSON freshet_vcpkg_version GET "${freshet_vcpkg}" version)
if(NOT "${freshet_header_version};${freshet_vcpkg_version}" STREQUAL "${PROJECT_VERSION};${PROJECT_VERSION}")
    message(FATAL_ERROR "write the same version in CMakeLists.txt (now ${PROJECT_VERSION}), "
        "include/freshet/version.hpp (${freshet_header_version}) and vcpkg.json (${freshet_vcpkg_version})")
endif()
