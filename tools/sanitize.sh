#!/bin/sh
# Runs the tests under a sanitizer. Installs what is missing for it, and builds in a folder of its own.
# usage: sh tools/sanitize.sh address|thread [OPTION OF ctest...]
#        sh tools/sanitize.sh opencl
#   address  AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   thread   ThreadSanitizer, by clang with an OpenMP library that tells it about barriers
#   opencl   Oclgrind: memory accesses and races of the OpenCL kernels
# CONTRIBUTING.md says why they are set up as they are.
set -eu
cd "$(dirname "$0")/.."

usage()
{
    sed -n '3,7s/^# *//p' tools/sanitize.sh >&2
    exit 2
}

# $1 is the preset; cmake/test.cmake has the options.
run_tests()
{
    preset=$1
    shift
    code=0
    ctest --preset "$preset" --parallel "${JOBS:-$(nproc)}" --no-tests=error \
        --output-junit "$PWD/build/$preset/tests.xml" "$@" || code=$?
    sh tools/summary.sh "build/$preset/tests.xml"
    exit $code
}

address()
{
    sh tools/setup.sh build test
    sh tools/build.sh asan -D TENON_WITH_OPENCL=OFF
    check_leak_sanitizer
    run_tests asan "$@"
}

# It must find a leak beside OpenMP threads, and none where there is none. The option is that of cmake/test.cmake.
check_leak_sanitizer()
{
    cc -g -O1 -fsanitize=address -fopenmp tools/leak.c -o build/asan/leak
    export ASAN_OPTIONS=intercept_tls_get_addr=0
    if ! build/asan/leak clean || build/asan/leak 2>/dev/null; then
        echo "sanitize: this leak sanitizer finds leaks that are none, or does not find one" >&2
        exit 1
    fi
    unset ASAN_OPTIONS
}

# Both backends without libraries that are not instrumented: our own products, no OpenCL driver.
thread()
{
    sh tools/setup.sh build test sanitize
    sh tools/build.sh tsan -D CMAKE_C_COMPILER=clang-14 -D TENON_WITH_OPENCL=OFF -D TENON_CPU_LIBRARY=OFF
    export OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so
    export TSAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-14 OMP_NUM_THREADS="${OMP_NUM_THREADS:-4}"
    check_thread_sanitizer
    run_tests tsan "$@"
}

# The sanitizer must find a race, and none in a program that synchronises by OpenMP alone.
check_thread_sanitizer()
{
    export TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66 suppressions=$PWD/tools/tsan.supp"
    clang-14 -g -O1 -fsanitize=thread -fopenmp tools/race.c -o build/tsan/race
    if ! build/tsan/race clean >/dev/null 2>&1 || build/tsan/race >/dev/null 2>&1; then
        echo "sanitize: this thread sanitizer does not see OpenMP's barriers, or no races" >&2
        exit 1
    fi
}

# Every operator, by the kernels for both kinds of device. Oclgrind's log is empty if all is well; for the conformance
# kit whatever it prints is a failure of the case, but for what its compiler says of a kernel.
opencl()
{
    sh tools/setup.sh build test sanitize
    sh tools/build.sh release
    export TENON_CACHE=off
    log=$PWD/build/oclgrind.log
    bad=0
    for shape in cpu gpu; do
        oclgrind --data-races --log "$log" build/release/bin/small opencl:0 opencl shape "$shape" || bad=1
        no_report "kernels for shape=$shape" || bad=1
        oclgrind --data-races build/release/bin/tenon check opencl:0 --option "opencl.shape=$shape" \
            --only 'operators/*/f32/forward' --chat ' generated.' --time-limit 600 || bad=1
    done
    # It computes in the thread that waits.
    oclgrind build/release/bin/tenon check opencl:0 --only consistency/environment --chat ' generated.' --time-limit 600 ||
        bad=1
    exit $bad
}

# $1: what ran. Says what Oclgrind found.
no_report()
{
    if [ -s "$log" ]; then
        head -n 40 "$log"
        echo "$1: Oclgrind reports errors"
        return 1
    fi
    echo "$1: Oclgrind reports nothing"
}

case ${1:-} in
address | thread | opencl)
    what=$1
    shift
    "$what" "$@"
    ;;
*) usage ;;
esac
