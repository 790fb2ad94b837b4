# tenon_backend(NAME SOURCES ... LIBRARIES ...): a backend: a shared library that sees include/tenon/backend.h and the
# .def files beside it, and exports one symbol.
function(tenon_backend name)
  cmake_parse_arguments(backend "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(backend_${name} MODULE ${backend_SOURCES})
  target_include_directories(backend_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(backend_${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(backend_${name} PRIVATE ${backend_LIBRARIES})
  target_link_options(backend_${name} PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/backends/backend.map)
  set_target_properties(backend_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${TENON_BACKEND_DIR})
endfunction()
