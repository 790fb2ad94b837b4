#!/bin/sh
# Builds Tenon for another processor by Debian's cross compilers, and tries it under qemu-user: by the conformance kit on the
# reference and, where it has one, on the cpu backend; by files that it and this machine write for each other; or by those of
# the tests that need no other program. The other system's libraries are unpacked below build/cross, and this system's own
# packages and architectures stay as they are. Needs a Debian; installs compilers and emulator.
# usage: sh tools/cross.sh MACHINE [kit [PATTERN] | files | tests TEST...]
#   PATTERN: those of the kit's cases alone, as "operators"; all take long.   files: needs build/release, too
set -eu
cd "$(dirname "$0")/.."

# machine, Debian's name of it, what its compilers' names begin with, its emulator, the devices that the kit is run on
table='
aarch64 arm64 aarch64-linux-gnu   qemu-aarch64 reference cpu
s390x   s390x s390x-linux-gnu     qemu-s390x   reference
armhf   armhf arm-linux-gnueabihf qemu-arm     reference cpu
i386    i386  i686-linux-gnu      qemu-i386    reference cpu
'
machine=${1:-aarch64}
what=${2:-kit}
# shellcheck disable=SC2046 # words
set -- $(printf '%s\n' "$table" | sed -n "s/^$machine //p") -- "$@"
[ "$1" != -- ] || { echo "cross: there is no '$machine', only $(printf '%s' "$table" | awk 'NF { printf "%s ", $1 }')" >&2; exit 2; }
arch=$1 prefix=$2 emulator=$3
shift 3
devices=
while [ "$1" != -- ]; do devices="$devices $1"; shift; done
shift
[ $# -lt 2 ] && shift $# || shift 2 # what is left: the pattern, or the tests' names
root=$PWD/build/cross/$arch
[ -n "${TENON_NO_SETUP:-}" ] || sh tools/setup.sh build cross

# What the build needs, and all that these need: an apt of its own, which knows no package to be there, downloads them.
libraries='libc6-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libcjson-dev libprotobuf-c-dev libzip-dev libgomp1 libcmocka-dev'
fetch()
{
    rm -rf "$root"
    mkdir -p "$root/apt/state/lists/partial" "$root/apt/cache/archives/partial" "$root/system"
    : >"$root/apt/state/status"
    set -- -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$root/apt/state" \
        -o Dir::State::status="$root/apt/state/status" -o Dir::Cache="$root/apt/cache" -o APT::Sandbox::User=root
    apt-get "$@" update
    # shellcheck disable=SC2086 # a word each
    apt-get "$@" -y --no-install-recommends --download-only install $libraries
    for package in "$root"/apt/cache/archives/*.deb; do dpkg -x "$package" "$root/system"; done
    # links to absolute places lead out of the folder
    find "$root/system" -type l -lname '/*' | while read -r link; do
        ln -sfn "$root/system$(readlink "$link")" "$link"
    done
    echo "$libraries" >"$root/fetched"
}

if [ "$(cat "$root/fetched" 2>/dev/null)" != "$libraries" ]; then
    log=$(mktemp)
    fetch >"$log" 2>&1 || { tail -n 5 "$log" >&2; rm "$log"; exit 1; }
    rm "$log"
fi

# The folder of the other system's libraries; what is linked needs some that are only found there.
triplet=$(basename "$(dirname "$(find "$root/system/usr/lib" -name libz.a)")")
below="-Wl,-rpath-link,$root/system/usr/lib/$triplet:$root/system/lib/$triplet"
build()
{
    cmake -S . -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR="$machine" -DCMAKE_C_COMPILER="$prefix-gcc" -DCMAKE_LIBRARY_ARCHITECTURE="$triplet" \
        -DCMAKE_FIND_ROOT_PATH="$root/system" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
        -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
        -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DTENON_ONNX_PROTO=/usr/include \
        -DCMAKE_C_FLAGS="-isystem $root/system/usr/include/$triplet" \
        -DCMAKE_EXE_LINKER_FLAGS="$below" -DCMAKE_SHARED_LINKER_FLAGS="$below" -DCMAKE_MODULE_LINKER_FLAGS="$below" \
        -DTENON_BUILD_TESTS=ON -DTENON_BUILD_EXTRAS=OFF -DTENON_WITH_MPI=OFF
    cmake --build "$root/build" --target "$@"
}

made()
{
    build "$@" >"$root/build.log" 2>&1 || { tail -n 20 "$root/build.log" >&2; exit 1; }
}

# The emulator looks for libraries in the other system.
run="nice $emulator -L $root/system $root/build/bin"
export TENON_CACHE=off
failed=0

kit()
{
    made tenon_command tenon_probe backend_cpu
    for device in $devices; do
        # shellcheck disable=SC2086 # words
        $run/tenon check "$device" --cases 20 --only "${1:-*}" >"$root/$device.log" 2>&1 || failed=1
        echo "$machine: $device: $(tail -n 1 "$root/$device.log")"
    done
}

files()
{
    made exchange
    sh tests/exchange/exchange.sh "$PWD/build/release/bin/exchange" "$root/exchange" "$run/exchange" >"$root/files.log" 2>&1 ||
        { tail -n 5 "$root/files.log" >&2; failed=1; }
    [ $failed = 1 ] || echo "$machine: each reads what the other writes, and both write the same"
}

tests()
{
    # shellcheck disable=SC2046 # words
    made backend_cpu $(printf ' test_%s' "$@")
    for name; do
        # shellcheck disable=SC2086 # words
        if $run/test_$name >"$root/test_$name.log" 2>&1; then
            echo "$machine: $name: $(grep -c '^\[       OK' "$root/test_$name.log") passed"
        else
            echo "$machine: $name: failed: $(grep '^\[  FAILED' "$root/test_$name.log" | head -n 3), see $root/test_$name.log"
            failed=1
        fi
    done
}

case $what in
kit | files | tests) "$what" "$@" ;;
*) kit "$what" ;;
esac
exit $failed
