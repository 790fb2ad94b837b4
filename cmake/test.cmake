# tenon_test(NAME SOURCES ... [LIBRARIES ...] [ENVIRONMENT VAR=value ...] [ARGUMENTS ...] [TIMEOUT seconds]
#            [FOLDER dir]): a cmocka program, build/bin/test_NAME, and its CTest entry `NAME`, which carries the label of
# the folder it stands in (`ctest -L plugin`).
#
# LIBRARIES are what is linked: layers (tenon_core ...) are linked as their objects, so each layer that is used, those
# below included, is named. ENVIRONMENT adds to what every test gets, or takes its place. FOLDER moves the program out of build/bin, where it would find the build's backends.
#
# TIMEOUT is in seconds of processor time, so that a test does not fail because the machine is busy: tests/limit/limit.c
# runs each, and lets none leave a process behind. By the clock a test may take 20 times as long. Those that may take
# the longest begin first.
find_package(cmocka REQUIRED)
find_package(Threads REQUIRED)
if(TARGET cmocka::cmocka) # from version 1.1.6 on
  set(TENON_CMOCKA cmocka::cmocka)
else()
  set(TENON_CMOCKA ${CMOCKA_LIBRARIES})
endif()

# A sanitizer's allocator is to answer NULL when there is no memory, as every other does.
# No test touches the user's caches: ours and PoCL's are folders of the build's own, and save half of what the tests on
# OpenCL take.
set(TENON_TEST_ENVIRONMENT "TENON_CACHE=${CMAKE_BINARY_DIR}/cache;POCL_CACHE_DIR=${CMAKE_BINARY_DIR}/pocl"
  "ASAN_OPTIONS=allocator_may_return_null=1:strict_string_checks=1:detect_stack_use_after_return=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=allocator_may_return_null=1:ignore_noninstrumented_modules=1:exitcode=66")
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/pocl)

# tenon_limited_test(NAME TIMEOUT ENVIRONMENT COMMAND...): what all tests have in common. Sanitized programs are slow.
function(tenon_limited_test name timeout environment program)
  if(NOT timeout)
    set(timeout 60)
  endif()
  if(TENON_SANITIZE)
    math(EXPR timeout "${timeout} * 10")
  endif()
  math(EXPR ceiling "${timeout} * 20")
  math(EXPR ctest_ceiling "${ceiling} + 60") # CTest's, should that of `limit` fail
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  if(name MATCHES "openmpi|check_comm|page_docs_distributed") # Open MPI's own leaks; what is ours shows with MPICH
    set(environment "LSAN_OPTIONS=detect_leaks=0;${environment}")
  endif()
  get_filename_component(label ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  if(test_LONG)
    set(configurations CONFIGURATIONS long)
  endif()
  add_test(NAME ${name} COMMAND limit -w ${ceiling} ${timeout} ${program} ${ARGN} ${configurations})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ctest_ceiling} COST ${timeout} LABELS ${label} SKIP_RETURN_CODE 77
    ENVIRONMENT "${TENON_TEST_ENVIRONMENT};${environment}")
endfunction()

function(tenon_test name)
  cmake_parse_arguments(test "" "TIMEOUT;FOLDER" "SOURCES;LIBRARIES;ENVIRONMENT;ARGUMENTS" ${ARGN})
  add_executable(test_${name} ${test_SOURCES})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(test_${name} PRIVATE ${test_LIBRARIES} ${TENON_CMOCKA} Threads::Threads m)
  if(test_FOLDER)
    set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${test_FOLDER})
  endif()
  tenon_limited_test(${name} "${test_TIMEOUT}" "${test_ENVIRONMENT}" test_${name} ${test_ARGUMENTS})
endfunction()

# tenon_script_test(NAME COMMAND ... [ENVIRONMENT ...] [TIMEOUT seconds] [LONG]): a CTest entry for a command line; exit
# status 77 says that it was skipped. LONG: it takes long and adds little, and runs only in the configuration `long`.
function(tenon_script_test name)
  cmake_parse_arguments(test "LONG" "TIMEOUT" "COMMAND;ENVIRONMENT" ${ARGN})
  tenon_limited_test(${name} "${test_TIMEOUT}" "${test_ENVIRONMENT}" ${test_COMMAND})
endfunction()
