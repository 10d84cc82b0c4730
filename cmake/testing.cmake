# SPDX-License-Identifier: Apache-2.0
# What tests/CMakeLists.txt is written with.

FetchContent_GetProperties(Catch2 SOURCE_DIR freshet_catch_source) # if it was fetched
list(APPEND CMAKE_MODULE_PATH ${Catch2_DIR} ${freshet_catch_source}/extras)
include(Catch)

# freshet_add_test(NAME unit_subject SOURCES a.cpp... LABELS unit [LIBRARIES target...] [TIMEOUT seconds])
# An executable with Catch2's main; each test case in it is a test of ctest's, NAME.<the case>.
function(freshet_add_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT" "SOURCES;LABELS;LIBRARIES")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_include_directories(${arg_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/src) # for tests of the compiled parts
    target_link_libraries(${arg_NAME} PRIVATE freshet::freshet freshet::testing freshet_warnings Catch2::Catch2WithMain
        ${arg_LIBRARIES})
    catch_discover_tests(${arg_NAME} TEST_PREFIX "${arg_NAME}." DISCOVERY_MODE PRE_TEST
        PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# The flags that a user of these targets compiles with, in a file for the compiler's @FILE.
function(freshet_write_arguments file)
    set(arguments "-std=c++23\n-Wall\n-Wextra")
    foreach(target IN LISTS ARGN)
        set(includes $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
        set(definitions $<TARGET_PROPERTY:${target},INTERFACE_COMPILE_DEFINITIONS>)
        string(APPEND arguments "\n\"-I$<JOIN:${includes},\"\n\"-I>\"\n\"-D$<JOIN:${definitions},\"\n\"-D>\"")
    endforeach()
    file(GENERATE OUTPUT ${file} CONTENT "${arguments}\n")
endfunction()

# What most of the hundred files below spend their time with, compiled once.
set(freshet_compile_fail_header ${PROJECT_BINARY_DIR}/compile_fail/header.hpp)
file(CONFIGURE OUTPUT ${freshet_compile_fail_header} CONTENT "#include <freshet/broker.hpp>\n")
freshet_write_arguments(${freshet_compile_fail_header}.args freshet::freshet)
add_test(NAME compile_fail.header COMMAND ${CMAKE_CXX_COMPILER} @${freshet_compile_fail_header}.args
    -x c++-header ${freshet_compile_fail_header} -o ${freshet_compile_fail_header}.gch)
set_tests_properties(compile_fail.header PROPERTIES LABELS compile_fail TIMEOUT 120
    FIXTURES_SETUP freshet_compile_fail_header)

# freshet_add_compile_fail(NAME compile_fail.two_bodies SOURCE two_bodies.cpp [LIBRARIES target...])
# Compiles the file and compares the compiler's words with the file's own comments:
#   // expect: TEXT           it must not compile, and the first error contains TEXT
#   // expect-clang: TEXT     the same, where Clang says something else
#   // expect-note: TEXT      a note below an error contains TEXT
#   // expect-warning: TEXT   it must compile, with a warning that contains TEXT
function(freshet_add_compile_fail)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;SOURCE" "LIBRARIES")
    cmake_path(ABSOLUTE_PATH arg_SOURCE)
    set(response ${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.args)
    freshet_write_arguments(${response} freshet::freshet ${arg_LIBRARIES})
    add_test(NAME ${arg_NAME} COMMAND ${CMAKE_COMMAND} -D compiler=${CMAKE_CXX_COMPILER} -D response=${response}
        -D header=${freshet_compile_fail_header} -D source=${arg_SOURCE}
        -P ${PROJECT_SOURCE_DIR}/cmake/compile_fail.cmake)
    set_tests_properties(${arg_NAME} PROPERTIES LABELS compile_fail TIMEOUT 120
        FIXTURES_REQUIRED freshet_compile_fail_header)
endfunction()

# What package tests build against: this build, installed anew.
set(freshet_package_prefix ${PROJECT_BINARY_DIR}/package/prefix)
add_test(NAME package.install COMMAND sh -ec "rm -rf \"$1\"; exec \"$0\" --install \"$2\" --prefix \"$1\""
    ${CMAKE_COMMAND} ${freshet_package_prefix} ${PROJECT_BINARY_DIR})
set_tests_properties(package.install PROPERTIES LABELS package FIXTURES_SETUP freshet_package)

# What CMake and the linker say to a user who makes a mistake.
add_test(NAME package.component COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR}/tests/package/component
    -B ${PROJECT_BINARY_DIR}/package/component -G ${CMAKE_GENERATOR} -DCMAKE_PREFIX_PATH=${freshet_package_prefix}
    -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
set_tests_properties(package.component PROPERTIES LABELS package FIXTURES_REQUIRED freshet_package TIMEOUT 120
    PASS_REGULAR_EXPRESSION "there is no component jetsream; there are: jetstream, testing")
freshet_write_arguments(${PROJECT_BINARY_DIR}/package/unlinked.args freshet::freshet)
add_test(NAME package.unlinked COMMAND ${CMAKE_CXX_COMPILER} @${PROJECT_BINARY_DIR}/package/unlinked.args
    ${PROJECT_SOURCE_DIR}/tests/package/unlinked/main.cpp $<TARGET_FILE:freshet>
    -o ${PROJECT_BINARY_DIR}/package/unlinked)
set_tests_properties(package.unlinked PROPERTIES LABELS package TIMEOUT 120
    PASS_REGULAR_EXPRESSION "link_the_target_freshet_jetstream")

# freshet_add_package_test(NAME package.find_package SOURCE package [OPTIONS -Dx=y...] [TIMEOUT seconds])
# Configures and builds the project in SOURCE as a user would, against the installed package, and runs its own ctest.
# Without a build type, like somebody who passes none: nobody debugs these programs.
function(freshet_add_package_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;SOURCE;TIMEOUT" "OPTIONS")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600)
    endif()
    cmake_path(ABSOLUTE_PATH arg_SOURCE)
    add_test(NAME ${arg_NAME} COMMAND ${CMAKE_CTEST_COMMAND}
        --build-and-test ${arg_SOURCE} ${PROJECT_BINARY_DIR}/package/${arg_NAME}
        --build-generator ${CMAKE_GENERATOR}
        --build-options -DCMAKE_PREFIX_PATH=${freshet_package_prefix} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
            -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} ${arg_OPTIONS}
        --test-command ${CMAKE_CTEST_COMMAND} --output-on-failure --no-tests=error)
    set_tests_properties(${arg_NAME} PROPERTIES LABELS package FIXTURES_REQUIRED freshet_package TIMEOUT ${arg_TIMEOUT})
endfunction()

freshet_add_package_test(NAME package.find_package SOURCE tests/package)
# It builds the whole library once more, shared, and from merged sources in less than half the time.
freshet_add_package_test(NAME package.add_subdirectory SOURCE tests/package TIMEOUT 1800
    OPTIONS -DFRESHET_SOURCE_DIR=${PROJECT_SOURCE_DIR} -DBUILD_SHARED_LIBS=ON
        -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16)
set_tests_properties(package.add_subdirectory PROPERTIES PROCESSORS 2)

find_program(FRESHET_CLANG_FORMAT clang-format-19)
if(FRESHET_CLANG_FORMAT)
    add_test(NAME style.format COMMAND ${PROJECT_SOURCE_DIR}/dev format --check)
    set_tests_properties(style.format PROPERTIES LABELS style)
endif()
