#!/bin/sh
# standalone.sh SOURCE COMPILER PROGRAM TENON: the template, copied away from this project with nothing but the headers of backends, is
# built by a plain compiler line, exports what it should, and does what PROGRAM asks of a backend. Then the steps of
# docs/backend.md are followed, it multiplies matrices, and the kit finds no fault with it.
source=$1 compiler=$2 program=$3 tenon=$4
work=$(mktemp -d) || exit 1
trap 'rm -r "$work"' EXIT
mkdir "$work/tenon" || exit 1
cp "$source"/include/tenon/backend*.h "$source"/include/tenon/*.def "$work/tenon/" || exit 1
cd "$work" || exit 1

build() { # NAME: NAME.c becomes NAME.so
    "$compiler" -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I. "$1.c" -o "$1.so" &&
        sh "$source/tests/plugin/symbols.sh" tn_backend_query "$work/$1.so"
}

cp "$source/backends/null/null.c" null.c || exit 1
build null || exit 1
TENON_BACKEND_PATH=$work/null.so "$program" null || exit 1
if TENON_BACKEND_PATH=$work/null.so "$program" null matmul 2>/dev/null; then
    echo "the template multiplies matrices?"
    exit 1
fi

awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' "$source/docs/backend.md" >kernel.c
[ -s kernel.c ] || { echo "docs/backend.md has no kernel"; exit 1; }
awk '/^static const operator_row operators/ {while ((getline line < "kernel.c") > 0) print line; print ""}
    /{"matmul", prepare_matmul, 0},/ {print "    {\"matmul\", prepare_matmul, 0},"; next} {print}' null.c >first.c
build first || exit 1
TENON_BACKEND_PATH=$work/first.so "$program" null matmul || exit 1
sanitizer='AddressSanitizer failed to allocate' # what it prints where there is no memory
for group in abi operators/matmul operators/attention; do
    "$tenon" check "$work/first.so" --only "$group" --chat "$sanitizer" >check.log 2>&1 || { cat check.log; exit 1; }
done
