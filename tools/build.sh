#!/bin/sh
# Configures a preset of CMakePresets.json in build/PRESET where that was not done yet, and builds it.
# usage: sh tools/build.sh PRESET [CMAKE_OPTION...]
set -eu
cd "$(dirname "$0")/.."

preset=$1
shift
: "${CMAKE_GENERATOR:=Ninja}" # where the folder is configured already, it keeps its own
export CMAKE_GENERATOR
log=build/$preset/configure.log
mkdir -p "build/$preset"
cmake --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build --preset "$preset" --parallel "$(nproc)"
