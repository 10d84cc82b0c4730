# SPDX-License-Identifier: Apache-2.0
# cmake -D readme=README.md -D program=billing.cpp -P readme_test.cmake
# The first C++ block of the README is the program, without the comment on top of it.
file(READ ${readme} text)
string(FIND "${text}" "```cpp\n" begin)
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "```\n" end)
string(SUBSTRING "${text}" 0 ${end} shown)

file(READ ${program} compiled)
string(FIND "${compiled}" "#include" begin)
string(SUBSTRING "${compiled}" ${begin} -1 compiled)

if(NOT shown STREQUAL compiled)
    message(FATAL_ERROR "${readme} shows a program that is not ${program}:\n${shown}")
endif()
