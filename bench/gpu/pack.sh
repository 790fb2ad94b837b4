#!/bin/sh
# Makes a folder that run.py takes as --build on another machine: the command, the library, its backends, and what they
# need beyond the C library, such as OpenCL's loader.
# usage: sh bench/gpu/pack.sh FOLDER [BUILD]
set -eu
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [BUILD]" >&2; exit 2; }
folder=$1 build=${2:-$(dirname "$0")/../../build/release}
mkdir -p "$folder/bin" "$folder/lib"
cp "$build/bin/tenon" "$folder/bin"
cp -d "$build"/lib/libtenon.so* "$folder/lib"
cp -r "$build/lib/tenon" "$folder/lib"
rm -rf "$folder"/lib/tenon/comm-1/*mpi*
ldd "$folder/bin/tenon" "$folder/lib/libtenon.so" "$folder"/lib/tenon/backends-1/*.so | awk '$3 ~ "^/" { print $3 }' |
    sort -u | while read -r library; do
    case ${library##*/} in
        libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libtenon.so.*) ;;
        *) cp -L "$library" "$folder/lib" ;;
    esac
done
du -sh "$folder"
