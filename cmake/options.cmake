# SPDX-License-Identifier: BSD-2-Clause
# How everything is compiled, and the two functions that say what is built.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

option(POSTERN_SANITIZE "address and undefined behaviour sanitizers" OFF)
option(POSTERN_FUZZ "build the libFuzzer targets (clang only)" OFF)
option(POSTERN_COVERAGE "build them to count the lines they reach" OFF)

add_compile_options(-Wall -Wextra -Werror -Wshadow -Wvla -Wstrict-prototypes
    -Wmissing-prototypes -fno-common
    "SHELL:-include ${CMAKE_SOURCE_DIR}/lib/base/banned.h")
add_compile_definitions(_GNU_SOURCE POSTERN_VERSION="${PROJECT_VERSION}"
    POSTERN_LIBEXEC="${CMAKE_INSTALL_FULL_LIBEXECDIR}/postern")
include_directories(lib .)

if(POSTERN_COVERAGE)
    add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
    add_link_options(-fprofile-instr-generate)
elseif(POSTERN_SANITIZE OR POSTERN_FUZZ)
    set(POSTERN_SAN -fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_compile_options(${POSTERN_SAN})
    add_link_options(${POSTERN_SAN})
    add_compile_definitions(POSTERN_SANITIZE)
    if(POSTERN_FUZZ)
        add_compile_options(-fsanitize=fuzzer-no-link)
    endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-O2 -g1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
        -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        add_compile_options(-fcf-protection=full)
    endif()
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    # assert() guards our own invariants and stays in every build.
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE
        "${CMAKE_C_FLAGS_RELEASE}")
endif()
# A program loads the libraries it calls, not all that its floors could use.
add_link_options(-Wl,--as-needed)
include(CheckPIESupported)
check_pie_supported()

set(POSTERN_FLOORS
    "base|event|ipc|config|sandbox|service|net|dns|mail|queue|maildir|index|sasl|table")

# postern_lib(NAME below... [EXTERNAL libs...]): the library lib/NAME.
function(postern_lib name)
    cmake_parse_arguments(A "" "" "EXTERNAL" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lib/${name}/*.c)
    list(FILTER sources EXCLUDE REGEX "service_params.c$") # see params.cmake
    if(NOT sources)
        return()
    endif()
    add_library(${name} STATIC ${sources})
    foreach(below ${A_UNPARSED_ARGUMENTS})
        if(TARGET ${below})
            target_link_libraries(${name} PUBLIC ${below})
        endif()
    endforeach()
    target_link_libraries(${name} PUBLIC ${A_EXTERNAL})
endfunction()

# postern_program(NAME INTERNAL libs... [EXTERNAL libs...]): the daemon in
# NAME/. All but main.c also becomes the library prog_NAME, for unit tests.
function(postern_program name)
    cmake_parse_arguments(A "" "" "INTERNAL;EXTERNAL" ${ARGN})
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${name}/main.c)
        return()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.c)
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${name}/main.c
        ${CMAKE_SOURCE_DIR}/${name}/params.c) # params.c: see params.cmake
    add_executable(${name} ${name}/main.c)
    if(sources)
        add_library(prog_${name} STATIC ${sources})
        set_property(GLOBAL APPEND PROPERTY POSTERN_PROGRAM_LIBS prog_${name})
        target_link_libraries(${name} PRIVATE prog_${name})
        foreach(lib ${A_INTERNAL})
            if(TARGET ${lib})
                target_link_libraries(prog_${name} PUBLIC ${lib})
            endif()
        endforeach()
        target_link_libraries(prog_${name} PUBLIC ${A_EXTERNAL})
    endif()
    foreach(lib ${A_INTERNAL})
        if(TARGET ${lib})
            target_link_libraries(${name} PRIVATE ${lib})
        endif()
    endforeach()
    target_link_libraries(${name} PRIVATE ${A_EXTERNAL})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec)
    install(TARGETS ${name} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/postern)
    set_property(GLOBAL APPEND PROPERTY POSTERN_SUITE ${name})
    if(NOT name STREQUAL "master")
        postern_redteam(${name} ${A_INTERNAL} ${A_EXTERNAL})
    endif()
endfunction()

# The probe in the jail of NAME: its main.c, exactly as it is, but for a
# service_main() that runs t/isolation/redteam.c in place of the daemon's work.
function(postern_redteam name)
    add_executable(redteam_${name} EXCLUDE_FROM_ALL ${name}/main.c
        t/isolation/redteam.c t/isolation/goals_host.c
        t/isolation/goals_suite.c t/isolation/goals_queue.c)
    if(TARGET prog_${name})
        target_link_libraries(redteam_${name} PRIVATE prog_${name})
    endif()
    foreach(lib ${ARGN})
        if(TARGET ${lib} OR NOT lib MATCHES "^(${POSTERN_FLOORS})$")
            target_link_libraries(redteam_${name} PRIVATE ${lib})
        endif()
    endforeach()
    target_link_options(redteam_${name} PRIVATE -Wl,--wrap=service_main)
    set_target_properties(redteam_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/redteam)
    set_property(GLOBAL APPEND PROPERTY POSTERN_REDTEAM redteam_${name})
endfunction()

# postern_tool(NAME libs...): the command in tools/NAME/.
function(postern_tool name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/${name}/*.c)
    add_executable(tool_${name} ${sources})
    foreach(lib ${ARGN})
        if(TARGET ${lib})
            target_link_libraries(tool_${name} PRIVATE ${lib})
        endif()
    endforeach()
    set_target_properties(tool_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    install(TARGETS tool_${name} DESTINATION ${CMAKE_INSTALL_SBINDIR})
    set_property(GLOBAL APPEND PROPERTY POSTERN_SUITE tool_${name})
endfunction()
