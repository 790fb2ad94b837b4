#!/bin/sh
# What the vendors' compilers make of the kernels for GPUs, without one: bench/gpu/static.py on those that the jobs of
# the benchmarks take. Needs a build with the OpenCL backend and an OpenCL device, as PoCL; installs the compilers from
# Debian's packages. CUDA's ptxas is used where PATH has it. Exit status 1: a kernel spills or stays below what it says.
# usage: sh tools/gpu_static.sh [JOB...]          JOB: of bench/jobs.py, all unless some are given
set -eu
cd "$(dirname "$0")/.."
[ -n "${TENON_NO_SETUP:-}" ] || sh tools/setup.sh build gpu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 bench/gpu/kernels.py "$folder" "$@" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }
python3 bench/gpu/static.py "$folder" ${INTO:+--into "$INTO"}
