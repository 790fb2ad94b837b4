#!/bin/sh
# Makes Debian's packages in dist/, and the source package that they are made from, and has lintian look at them.
# Installs what is missing for it. With --twice it builds a second time in another folder, and compares the bits.
# usage: sh tools/deb.sh [--twice] [FOLDER]       FOLDER, dist unless it is given, gets the files
set -eu
cd "$(dirname "$0")/.."
twice=
[ "${1:-}" != --twice ] || { twice=yes; shift; }
out=${1:-dist}
version=$(sed -n '1s/^tenon (\(.*\)) .*/\1/p' debian/changelog)
grep -q "^project(tenon VERSION $version " CMakeLists.txt || { echo "deb: debian/changelog says $version, CMakeLists.txt does not" >&2; exit 1; }

[ -n "${TENON_NO_SETUP:-}" ] || sh tools/setup.sh build deb

# $1: a folder, in which the packages are made from what git knows of this tree, as it lies here.
make_in()
{
    rm -rf "$1"
    mkdir -p "$1/tenon-$version"
    git ls-files -z | tar -c --null -T - --owner=0 --group=0 --numeric-owner | tar -x -C "$1/tenon-$version"
    (cd "$1/tenon-$version" && dpkg-buildpackage -us -uc -j"$(nproc)") >"$1/log" 2>&1 ||
        { tail -n 30 "$1/log" >&2; echo "deb: the build failed: $1/log" >&2; exit 1; }
}

make_in build/deb/first
lintian --fail-on error,warning build/deb/first/tenon_"$version"_*.changes
if [ "$twice" ]; then
    make_in build/deb/another/place
    for package in build/deb/first/*.deb; do
        cmp "$package" "build/deb/another/place/$(basename "$package")" || { echo 'deb: two builds differ' >&2; exit 1; }
    done
    echo 'deb: two builds gave the same bits'
fi
mkdir -p "$out"
cp build/deb/first/tenon_*[!b] build/deb/first/*.deb "$out"
ls -l "$out" | awk '/deb$|dsc$/ { print $5, $9 }'
