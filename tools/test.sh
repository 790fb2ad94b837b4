#!/bin/sh
# Installs what is missing, builds, and runs the tests, on each device that is found: the reference, the processor,
# and every OpenCL device. The last line says how many passed.
# usage: sh tools/test.sh [OPTION OF ctest...]        e.g. -R matmul, -L plugin, --rerun-failed, -C long
# Real MNIST is used where TENON_MNIST names its folder. JOBS is the number of tests at a time (one more than there are
# processors, since some wait). With -C long those run too that take long and seldom tell more.
set -eu
cd "$(dirname "$0")/.."

sh tools/setup.sh build test doc
sh tools/build.sh release

# Tests share the processors: PyTorch's threads, where it is there to compare with, should not spin while they wait.
: "${OMP_WAIT_POLICY:=passive}"
export OMP_WAIT_POLICY
report=$PWD/build/release/tests.xml
code=0
ctest --preset release --parallel "${JOBS:-$(($(nproc) + 1))}" --no-tests=error --output-junit "$report" "$@" || code=$?
sh tools/summary.sh "$report"
exit $code
