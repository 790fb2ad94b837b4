#!/bin/sh
# standalone.sh SOURCE COMPILER PROGRAM: the template, copied away from this project with nothing but one header, is built by a
# plain compiler line; it exports what it should, and PROGRAM, the loader's check, takes it.
source=$1 compiler=$2 program=$3
work=$(mktemp -d) || exit 1
trap 'rm -r "$work"' EXIT
mkdir "$work/tenon" || exit 1
cp "$source/include/tenon/backend.h" "$work/tenon/" || exit 1
cp "$source/backends/null/null.c" "$work/" || exit 1
cd "$work" || exit 1
"$compiler" -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I. null.c -o null.so || exit 1
sh "$source/tests/plugin/symbols.sh" "$work/null.so" || exit 1
TENON_BACKEND_PATH=$work/null.so "$program" null || exit 1
