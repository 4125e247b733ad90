# SPDX-License-Identifier: BSD-2-Clause
# All parameter tables in one library: every <program>/params.c, and a list of
# them, so that $name can be resolved and postconf can show all of it.

file(GLOB param_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
    ${CMAKE_SOURCE_DIR}/*/params.c)
set(externs "extern const struct param common_params[], service_params[];\n")
set(rows "    { \"common\", common_params },\n    { \"service\", service_params },\n")
set(param_sources ${CMAKE_BINARY_DIR}/params_all.c)
foreach(file ${param_files})
    get_filename_component(program ${file} DIRECTORY)
    string(APPEND externs "extern const struct param ${program}_params[];\n")
    string(APPEND rows "    { \"${program}\", ${program}_params },\n")
    list(APPEND param_sources ${CMAKE_SOURCE_DIR}/${file})
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/params_all.c CONTENT
"/* Made by cmake/params.cmake. */
#include \"config/param.h\"

${externs}
const struct param_table param_tables[] = {
${rows}    { NULL, NULL },
};
" @ONLY)
add_library(params STATIC ${param_sources}
    ${CMAKE_SOURCE_DIR}/lib/service/service_params.c)
target_link_libraries(config PUBLIC params)
target_link_libraries(params PUBLIC config)
