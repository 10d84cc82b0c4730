# SPDX-License-Identifier: Apache-2.0
# What freshet links. Each is looked for (find_package) and, where it is missing, fetched at a pinned commit.

include(FetchContent)

# A function, so that what it sets for the fetched project stays in its scope.
function(freshet_dependency name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "URL" "FIND;WITH")
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW) # the variables set here win over the options of older projects
    foreach(assignment IN LISTS arg_WITH)
        string(REGEX MATCH "^([^=]+)=(.*)$" _ "${assignment}")
        set(${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
    endforeach()
    FetchContent_Declare(${name} URL ${arg_URL} DOWNLOAD_EXTRACT_TIMESTAMP NO SYSTEM FIND_PACKAGE_ARGS ${arg_FIND})
    FetchContent_MakeAvailable(${name})
    set(${name}_VERSION "${${name}_VERSION}" PARENT_SCOPE) # empty when it was fetched
endfunction()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED) # before cnats, whose package names OpenSSL's targets without finding them

freshet_dependency(fmt FIND 9 CONFIG
    URL https://github.com/fmtlib/fmt/archive/e69e5f977d458f2650bb346dadf2ad30c5320281.tar.gz # 10.2.1
    WITH FMT_INSTALL=${FRESHET_INSTALL})
freshet_dependency(spdlog FIND 1.10 CONFIG
    URL https://github.com/gabime/spdlog/archive/7c02e204c92545f869e2f04edaab1f19fe8b19fd.tar.gz # 1.13.0
    WITH SPDLOG_FMT_EXTERNAL=ON SPDLOG_INSTALL=${FRESHET_INSTALL})
freshet_dependency(nlohmann_json FIND 3.11 CONFIG
    URL https://github.com/nlohmann/json/archive/9cca280a4d0ccf0c08f47a99aa71d1b0e52f8d03.tar.gz # 3.11.3
    WITH JSON_BuildTests=OFF JSON_Install=${FRESHET_INSTALL})
freshet_dependency(cnats FIND CONFIG # no version: cnats's package accepts its own minor version only
    URL https://github.com/nats-io/nats.c/archive/78981ed569a35b1b4db867ddaba7bd4b57abe86c.tar.gz # 3.13.0
    WITH BUILD_TESTING=OFF NATS_BUILD_EXAMPLES=OFF NATS_BUILD_LIB_SHARED=OFF CMAKE_POSITION_INDEPENDENT_CODE=ON)
if(FRESHET_BUILD_TESTS)
    freshet_dependency(Catch2 FIND 3 CONFIG
        URL https://github.com/catchorg/Catch2/archive/fa43b77429ba76c462b1898d6cd2f2d7a9416b14.tar.gz # 3.7.1
        WITH CATCH_INSTALL_DOCS=OFF CATCH_INSTALL_EXTRAS=OFF)
endif()
if(FRESHET_GLAZE)
    find_package(glaze CONFIG QUIET)
    if(NOT glaze_FOUND)
        message(STATUS "glaze was not found: freshet::glaze is left out")
    endif()
endif()

if(FRESHET_COMPRESSION)
    find_package(ZLIB QUIET)
    find_package(zstd CONFIG QUIET)
    # Which of them there are depends on zstd's version and on how it was built.
    foreach(target IN ITEMS zstd::libzstd zstd::libzstd_shared zstd::libzstd_static)
        if(TARGET ${target} AND NOT freshet_zstd)
            set(freshet_zstd ${target})
        endif()
    endforeach()
    if(NOT ZLIB_FOUND OR NOT freshet_zstd)
        message(STATUS "zlib or zstd was not found: freshet::compression is left out")
    endif()
endif()

if(cnats_VERSION AND cnats_VERSION VERSION_LESS 3.4)
    message(FATAL_ERROR "cnats ${cnats_VERSION} in ${cnats_DIR} is too old: install 3.4 or newer, or let it be fetched "
        "with -DFETCHCONTENT_TRY_FIND_PACKAGE_MODE=NEVER")
endif()
# Installed shared, or static, or fetched: then its target has no namespace and its header no directory.
if(TARGET cnats::nats)
    set(freshet_cnats cnats::nats)
elseif(TARGET cnats::nats_static)
    set(freshet_cnats cnats::nats_static)
else()
    set(freshet_cnats cnats::nats_static)
    add_library(cnats::nats_static ALIAS nats_static)
    FetchContent_GetProperties(cnats SOURCE_DIR freshet_cnats_source)
    set(freshet_cnats_include ${PROJECT_BINARY_DIR}/cnats)
    file(CONFIGURE OUTPUT ${freshet_cnats_include}/nats/nats.h @ONLY
        CONTENT "#include \"@freshet_cnats_source@/src/nats.h\"\n")
    target_include_directories(nats_static SYSTEM INTERFACE $<BUILD_INTERFACE:${freshet_cnats_include}>)
endif()
if(NOT freshet_cnats_include)
    get_target_property(freshet_cnats_include ${freshet_cnats} INTERFACE_INCLUDE_DIRECTORIES)
endif()
