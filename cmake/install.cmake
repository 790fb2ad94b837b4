# What `cmake --install` puts where: the command, the library, its headers, the backends and communicators beside the library,
# where the loader looks for them, and what tells pkg-config and CMake's find_package of them. The tree may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TENON_INSTALL_BACKENDS ${CMAKE_INSTALL_LIBDIR}/tenon/backends-1)
set(TENON_INSTALL_COMM ${CMAKE_INSTALL_LIBDIR}/tenon/comm-1)
set(TENON_INSTALL_CMAKE ${CMAKE_INSTALL_LIBDIR}/cmake/tenon)

install(TARGETS tenon_command RUNTIME)
install(TARGETS tenon_probe RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR}/tenon)
install(TARGETS tenon EXPORT tenon LIBRARY NAMELINK_COMPONENT dev INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tenon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/backends/null/null.c ${PROJECT_SOURCE_DIR}/backends/backend.map
  ${PROJECT_SOURCE_DIR}/docs/backend.md DESTINATION ${CMAKE_INSTALL_DATADIR}/tenon/template COMPONENT dev)
foreach(backend cpu opencl)
  if(TARGET backend_${backend})
    install(TARGETS backend_${backend} LIBRARY DESTINATION ${TENON_INSTALL_BACKENDS})
  endif()
endforeach()

foreach(communicator local openmpi mpich)
  if(TARGET comm_${communicator})
    install(TARGETS comm_${communicator} LIBRARY DESTINATION ${TENON_INSTALL_COMM})
  endif()
endforeach()

file(RELATIVE_PATH up ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(tenon_command PROPERTIES INSTALL_RPATH "$ORIGIN/${up}")

file(RELATIVE_PATH TENON_UP ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/tenon.pc.in ${CMAKE_CURRENT_BINARY_DIR}/tenon.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tenon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake DESTINATION ${TENON_INSTALL_CMAKE} COMPONENT dev)
install(EXPORT tenon FILE tenonConfig.cmake NAMESPACE tenon:: DESTINATION ${TENON_INSTALL_CMAKE} COMPONENT dev)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TENON_SHARE)
  install(DIRECTORY ${TENON_SHARE}/ DESTINATION ${CMAKE_INSTALL_DATADIR} PATTERN made EXCLUDE)
endif()

# `cpack` in the build folder: the tree as it is installed, in an archive that may be unpacked anywhere. What it needs of other
# libraries is the system's.
set(CPACK_GENERATOR TXZ)
set(CPACK_PACKAGE_FILE_NAME tenon-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
