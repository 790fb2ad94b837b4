#!/bin/sh
# Makes the package for Python in dist/: a wheel with the library and its backends inside, and a source distribution.
# What is not of the base system stands beside the library: nothing has to be installed where the wheel is used. Needs
# Debian's packages alone; installs those that are missing.
# usage: sh tools/wheel.sh [FOLDER]       FOLDER, dist unless it is given, gets both files
set -eu
cd "$(dirname "$0")/.."
out=${1:-dist}
root=build/wheel/root
mkdir -p build

[ -n "${TENON_NO_SETUP:-}" ] || sh tools/setup.sh build wheel
# shellcheck disable=SC2016 # $ORIGIN is the loader's
cmake -S . -B build/wheel -G Ninja -DCMAKE_BUILD_TYPE=Release -DTENON_BUILD_TESTS=OFF -DTENON_WITH_MPI=OFF \
    -DTENON_WITH_ZIP=OFF -DTENON_WITH_WATCH=OFF -DCMAKE_PROJECT_tenon_INCLUDE="$PWD/cmake/wheel.cmake" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_C_COMPILER_LAUNCHER="${CMAKE_C_COMPILER_LAUNCHER:-}" >build/wheel.log 2>&1 ||
    { tail -n 20 build/wheel.log >&2; exit 1; }
cmake --build build/wheel >>build/wheel.log 2>&1 || { tail -n 20 build/wheel.log >&2; exit 1; }
rm -rf "$root"
cmake --install build/wheel --strip --prefix "$root" >>build/wheel.log 2>&1
python3 python/wheel.py "$root" "$out"
