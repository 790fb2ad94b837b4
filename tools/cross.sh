#!/bin/sh
# Builds Tenon for another processor by Debian's cross compiler, and puts it through its conformance kit under qemu-user:
# the reference, and, where it has one, the cpu backend. The other system's libraries are unpacked below build/cross, and
# this system's own packages and architectures stay as they are. Needs a Debian; installs compiler and emulator.
# usage: sh tools/cross.sh aarch64|s390x [PATTERN]     PATTERN: those of the kit's cases alone, as "operators"; all take long
set -eu
cd "$(dirname "$0")/.."
machine=${1:-aarch64}
pattern=${2:-*}
case $machine in
aarch64) arch=arm64 devices='reference cpu' ;;
s390x) arch=s390x devices=reference ;; # its bytes are in the other order
*) echo "cross: aarch64 or s390x, not $machine" >&2; exit 2 ;;
esac
triplet=$machine-linux-gnu
root=$PWD/build/cross/$arch
[ -n "${TENON_NO_SETUP:-}" ] || sh tools/setup.sh build cross

# What the build needs, and all that these need: an apt of its own, which knows no package to be there, downloads them.
libraries='libc6-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libcjson-dev libprotobuf-c-dev libzip-dev libgomp1'
fetch()
{
    mkdir -p "$root/apt/state/lists/partial" "$root/apt/cache/archives/partial" "$root/system"
    : >"$root/apt/state/status"
    set -- -q -o APT::Architecture=$arch -o APT::Architectures=$arch -o Dir::State="$root/apt/state" \
        -o Dir::State::status="$root/apt/state/status" -o Dir::Cache="$root/apt/cache" -o APT::Sandbox::User=root
    apt-get "$@" update
    # shellcheck disable=SC2086 # a word each
    apt-get "$@" -y --no-install-recommends --download-only install $libraries
    for package in "$root"/apt/cache/archives/*.deb; do dpkg -x "$package" "$root/system"; done
    # links to absolute places lead out of the folder
    find "$root/system" -type l -lname '/*' | while read -r link; do
        ln -sfn "$root/system$(readlink "$link")" "$link"
    done
    touch "$root/fetched"
}

mkdir -p "$root"
[ -f "$root/fetched" ] || fetch >"$root/fetch.log" 2>&1 || { tail -n 5 "$root/fetch.log" >&2; exit 1; }

# shellcheck disable=SC2086 # libraries below those that are linked are found there
cmake -S . -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR=$machine -DCMAKE_C_COMPILER=$triplet-gcc -DCMAKE_LIBRARY_ARCHITECTURE=$triplet \
    -DCMAKE_FIND_ROOT_PATH="$root/system" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
    -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DTENON_ONNX_PROTO=/usr/include \
    -DCMAKE_C_FLAGS="-isystem $root/system/usr/include/$triplet" \
    -DCMAKE_EXE_LINKER_FLAGS="-Wl,-rpath-link,$root/system/usr/lib/$triplet:$root/system/lib/$triplet" \
    -DCMAKE_SHARED_LINKER_FLAGS="-Wl,-rpath-link,$root/system/usr/lib/$triplet:$root/system/lib/$triplet" \
    -DTENON_BUILD_TESTS=OFF -DTENON_BUILD_EXTRAS=OFF -DTENON_WITH_MPI=OFF >"$root/build.log" 2>&1 &&
    cmake --build "$root/build" >>"$root/build.log" 2>&1 || { tail -n 20 "$root/build.log" >&2; exit 1; }

# Case by case; the emulator looks for libraries in the other system.
run="qemu-$machine -L $root/system"
failed=0
for device in $devices; do
    # shellcheck disable=SC2086 # words
    TENON_CACHE=off nice $run "$root/build/bin/tenon" check "$device" --cases 20 --only "$pattern" >"$root/$device.log" 2>&1 || failed=1
    echo "$machine: $(tail -n 1 "$root/$device.log")"
done
exit $failed
