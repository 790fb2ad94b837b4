#!/bin/sh
# relative.sh PROGRAM LIBRARY: by a relative LD_LIBRARY_PATH the library finds its backends all the same, also when
# PROGRAM, which leaves its folder first, is what uses it; and where there are none, it says where it looked.
set -u
program=$1 library=$2
folder=$(mktemp -d) || exit 1
trap 'rm -r "$folder"' EXIT
unset TENON_BACKEND_PATH

# gives WANT COMMAND...: what is printed has that in it.
gives()
{
    want=$1
    shift
    out=$("$@" 2>&1)
    case $out in *"$want"*) ;; *) echo "FAILED: $* gives '$out', not '$want'"; exit 1 ;; esac
}

mkdir "$folder/lib"
cp "$library" "$folder/lib/libtenon.so.0"
cd "$folder" || exit 1
LD_LIBRARY_PATH=lib ldd "$program" | grep -q 'libtenon.so.0 => lib/' || { echo "its library is not that of the folder"; exit 77; }
gives "no device 'cpu'; devices: reference; backends were looked for in no folder of its own: there is no tenon/backends-1 beside" \
    env LD_LIBRARY_PATH=lib "$program" cpu
mkdir "$folder/lib/tenon" # mktemp's folder is the user's alone, as it must be
cp -r "$(dirname "$library")/tenon/backends-1" "$folder/lib/tenon/"
chmod -R go-w "$folder/lib"
gives cpu env LD_LIBRARY_PATH=lib "$program" cpu
gives "no device 'quantum'; devices: " env LD_LIBRARY_PATH=lib "$program" quantum
gives "backends were looked for in $(realpath "$folder")/lib/tenon/backends-1" env LD_LIBRARY_PATH=lib "$program" quantum
gives "and in TENON_BACKEND_PATH, /nowhere" env LD_LIBRARY_PATH=lib TENON_BACKEND_PATH=/nowhere "$program" quantum
