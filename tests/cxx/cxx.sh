#!/bin/sh
# Public headers are C++ without a warning, in g++ and clang++, the C ones from C++11 on, those for C++ from C++17 on;
# what should not compile does not; a program and the example do what they say.
# usage: cxx.sh SOURCE SCRATCH LIBRARY_FOLDER; CXXFLAGS: what a program needs that links the library of a sanitized build
source=$1 scratch=$2 library=$3
warnings='-pedantic -Wall -Wextra -Wshadow -Wconversion -Werror'
cd "$scratch" || exit 1

fail()
{
    echo "FAILED: $*"
    exit 1
}

# $1: compiler and version. Each header is alone in a file: what it needs it includes.
headers()
{
    for header in "$source"/include/tenon/*.h; do
        printf '#include "tenon/%s"\n' "$(basename "$header")" >one.cpp
        # shellcheck disable=SC2086 # words
        $1 $warnings -fsyntax-only -I "$source/include" one.cpp || fail "$1: $(basename "$header")"
    done
}

# $1: compiler, $2: a statement that must not compile.
refused()
{
    printf '#include <tenon/tenon.hpp>\nnamespace with = tenon::with;\nvoid f(tenon::Tensor x) { %s }\n' "$2" >no.cpp
    ! $1 -std=c++17 -fsyntax-only -I "$source/include" no.cpp 2>/dev/null || fail "$1 takes $2"
}

tried=
for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    tried="$tried $compiler"
    headers "$compiler -std=c++11"
    # shellcheck disable=SC2086 # words
    $compiler -std=c++20 $warnings -fsyntax-only -I "$source/include" "$source/tests/cxx/test.cpp" || fail "$compiler: C++20"
done
[ "$tried" ] || { echo 'no compiler for C++'; exit 77; }
# shellcheck disable=SC2086 # the first of them
set -- $tried
refused "$1" 'tenon::linear(x, "fc", with::heads = 2);'
refused "$1" 'tenon::minimize(x, "sgd", with::units = 2);'
refused "$1" '(void)x; tenon::Dataset a, b(a);'
$1 -std=c++17 -fsyntax-only -I "$source/include" no.cpp 2>&1 | grep -q 'deleted' || fail 'refused for another reason'
for program in tests/cxx/test examples/digits; do
    # shellcheck disable=SC2086 # words
    $1 -std=c++17 -O1 $warnings ${CXXFLAGS:-} -I "$source/include" "$source/$program.cpp" -o "$(basename "$program")" \
        -L "$library" -ltenon -Wl,-rpath,"$library" || fail "$program.cpp"
done
./test reference "$scratch" && ./digits --small || fail 'a program'
echo "headers by$tried"
