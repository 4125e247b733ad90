# SPDX-License-Identifier: BSD-2-Clause
# All messages that programs say to each other, in one list: every IPC_MESSAGE
# and IPC_SIGNAL of the headers, so that a test of "every message" means it.
# Becomes messages_all.h in the build folder.

file(GLOB message_headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
    ${CMAKE_SOURCE_DIR}/proto/*.h ${CMAKE_SOURCE_DIR}/lib/queue/envelope.h
    ${CMAKE_SOURCE_DIR}/lib/service/control.h)
set(message_includes "")
set(message_rows "")
foreach(header ${message_headers})
    # Built anew when a header changes.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${CMAKE_SOURCE_DIR}/${header})
    string(APPEND message_includes "#include \"${header}\"\n")
    file(STRINGS ${CMAKE_SOURCE_DIR}/${header} lines
        REGEX "^ *IPC_(MESSAGE|SIGNAL)\\(")
    foreach(line ${lines})
        string(REGEX REPLACE "^ *IPC_[A-Z]+\\(([a-z0-9_]+),.*" "\\1" name
            "${line}")
        string(APPEND message_rows "    &${name}_type,\n")
    endforeach()
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/t/messages_all.h CONTENT
"/* Made by cmake/messages.cmake. */
#ifndef T_MESSAGES_ALL_H
#define T_MESSAGES_ALL_H

${message_includes}
static const struct ipc_type *const messages_all[] = {
${message_rows}};

#endif
" @ONLY)
