# SPDX-License-Identifier: Apache-2.0
# One test of freshet_add_compile_fail:
# cmake -D compiler=... -D response=... -D header=... -D source=... -P compile_fail.cmake

file(STRINGS ${source} expected_errors REGEX "^// expect: ")
file(STRINGS ${source} expected_warnings REGEX "^// expect-warning: ")
file(STRINGS ${source} expected_notes REGEX "^// expect-note: ")
list(TRANSFORM expected_errors REPLACE "^// expect: " "")
list(TRANSFORM expected_notes REPLACE "^// expect-note: " "")
list(TRANSFORM expected_warnings REPLACE "^// expect-warning: " "")
if(NOT expected_errors AND NOT expected_warnings)
    message(FATAL_ERROR "${source} has neither '// expect: TEXT' nor '// expect-warning: TEXT'")
endif()

set(ENV{LC_ALL} C)
execute_process(COMMAND ${compiler} @${response} -include ${header} -fsyntax-only ${source}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)

# Not a list of lines: compilers print brackets and semicolons, which CMake's lists take apart.
function(require text kind first_only)
    set(rest "${output}")
    while(rest MATCHES "(^|\n)([^\n]*${kind}:[^\n]*)(.*)$")
        set(line "${CMAKE_MATCH_2}")
        set(rest "${CMAKE_MATCH_3}")
        string(FIND "${line}" "${text}" position)
        if(NOT position EQUAL -1)
            return()
        endif()
        if(first_only)
            break()
        endif()
    endwhile()
    message(FATAL_ERROR "expected ${kind}: ${text}\nthe compiler said:\n${output}")
endfunction()

if(expected_errors AND status EQUAL 0)
    message(FATAL_ERROR "it compiles, but this error is expected: ${expected_errors}\n${output}")
elseif(NOT expected_errors AND NOT status EQUAL 0)
    message(FATAL_ERROR "it does not compile, but only a warning is expected\n${output}")
endif()
foreach(text IN LISTS expected_errors)
    require("${text}" "error" TRUE)
endforeach()
foreach(text IN LISTS expected_notes)
    require("${text}" "note" FALSE)
endforeach()
foreach(text IN LISTS expected_warnings)
    require("${text}" "warning" FALSE)
endforeach()
