#!/bin/sh
# Installs a build, moves the tree elsewhere, and uses it from there: the command, and programs built by find_package
# and by pkg-config, on every device that the build has.
# usage: install.sh BUILD SCRATCH; CMAKE_GENERATOR is what builds, CFLAGS what a program needs that links the library
# of a sanitized build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
scratch=$2
: "${CFLAGS:=}"
export CFLAGS

fail()
{
    echo "FAILED: $*"
    exit 1
}

rm -rf "$scratch"
mkdir -p "$scratch/user"
cd "$scratch"
cmake --install "$build" --prefix "$scratch/first" >log 2>&1 || { cat log; fail 'cmake --install'; }
mv first tree

"$build/bin/tenon" devices >in_build
tree/bin/tenon devices >devices
cmp in_build devices || fail 'the installed command sees other devices than the one in the build'
ldd tree/bin/tenon | grep -q "$scratch/tree/bin/../lib" ||
    fail 'the installed command does not use the installed library'
! readelf -d tree/lib*/libtenon.so tree/lib*/tenon/backends-1/*.so tree/bin/tenon | grep -q "PATH.*$build" ||
    fail 'something installed looks into the build folder'

# What the build made of the command's tables, where it is looked for.
for made in man/man1/tenon.1 man/man1/tenon-train.1 bash-completion/completions/tenon zsh/site-functions/_tenon \
    fish/vendor_completions.d/tenon.fish; do
    [ ! -d "$build/share" ] || [ -s tree/share/$made ] || fail "share/$made is not installed"
done
cmp "$here/../../LICENSE" tree/share/doc/tenon/LICENSE || fail 'the licence is not installed'

cp "$here/main.c" user/
cp "$here/user.cmake" user/CMakeLists.txt
cmake -S user -B user/build -DCMAKE_PREFIX_PATH="$scratch/tree" >log 2>&1 && cmake --build user/build >>log 2>&1 ||
    { cat log; fail 'a program by find_package'; }

PKG_CONFIG_PATH=$(dirname "$(find "$scratch/tree" -name tenon.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086 # a word each
cc $CFLAGS user/main.c -o user/plain $(pkg-config --cflags --libs tenon) ||
    fail 'a program by pkg-config'

# A backend that crashes when it is loaded is tried in a process of its own first.
if [ -f "$build/tests/plugins/villain_crash_load.so" ]; then
    TENON_CACHE=off TENON_BACKEND_PATH=$build/tests/plugins/villain_crash_load.so tree/bin/tenon devices >out 2>&1 &&
        grep -q 'crash_load.so.* when it is loaded' out || { cat out; fail 'the installed command is taken down by a backend'; }
fi

for device in $(awk 'NR > 1 && /^[^ ]/ { print $1 }' devices); do
    for program in build/user plain; do
        LD_LIBRARY_PATH=$(dirname "$(find "$scratch/tree" -name libtenon.so)") user/$program "$device" ||
            fail "$program on $device"
    done
done
