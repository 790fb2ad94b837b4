#!/bin/sh
# Runs the tests under a sanitizer. Installs what is missing for it, and builds in a folder of its own.
# usage: sh tools/sanitize.sh address|thread [OPTION OF ctest...]
#        sh tools/sanitize.sh opencl
#   address  AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   thread   ThreadSanitizer
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
    run_tests asan "$@"
}

# Without libraries that are not instrumented: our own products, no OpenCL driver.
thread()
{
    sh tools/setup.sh build test
    sh tools/build.sh tsan -D TENON_WITH_OPENCL=OFF -D TENON_CPU_LIBRARY=OFF
    run_tests tsan "$@"
}

# Every operator, by the kernels for both kinds of device, those for GPUs in small work-groups. Oclgrind's log is empty if all is well; for the conformance
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
        oclgrind --data-races build/release/bin/tenon check opencl:0 --option "opencl.shape=$shape,opencl.group=16" \
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
