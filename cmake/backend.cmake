# tenon_backend(NAME SOURCES ... LIBRARIES ...): a backend: a shared library that sees include/tenon/backend.h and the
# .def files beside it, and exports one symbol. tenon_communicator: the same of include/tenon/comm.h.
function(tenon_plugin kind map folder name)
  cmake_parse_arguments(plugin "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${kind}_${name} MODULE ${plugin_SOURCES})
  target_include_directories(${kind}_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${kind}_${name} PRIVATE ${plugin_LIBRARIES})
  target_link_options(${kind}_${name} PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/${map})
  set_target_properties(${kind}_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${folder})
endfunction()

function(tenon_backend)
  tenon_plugin(backend backends/backend.map ${TENON_BACKEND_DIR} ${ARGN})
endfunction()

function(tenon_communicator)
  tenon_plugin(comm comm/comm.map ${TENON_COMM_DIR} ${ARGN})
endfunction()
