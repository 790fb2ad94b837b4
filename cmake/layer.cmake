# tenon_layer(NAME SOURCES ... USES ...): one layer of the library, in the folder of that name. A layer sees the public
# headers, its own folder and the folders of the layers that it names (and those below them): nothing else compiles.
function(tenon_layer name)
  cmake_parse_arguments(layer "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(tenon_${name} OBJECT ${layer_SOURCES})
  target_include_directories(tenon_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(tenon_${name} PRIVATE TN_BUILDING)
  target_link_libraries(tenon_${name} PUBLIC ${layer_LIBRARIES})
  foreach(below IN LISTS layer_USES)
    target_link_libraries(tenon_${name} PUBLIC tenon_${below}) # include folders only: objects do not travel
  endforeach()
endfunction()
