#!/bin/sh
# command.sh TENON NULL.so: what `tenon check` says and how it ends.
tenon=$1 null=$2
fail() { echo "$*"; exit 1; }
"$tenon" check --list reference >/dev/null || fail "--list fails"
[ "$("$tenon" check --list reference --only memory/ | wc -l)" -ge 5 ] || fail "--only memory/ lists too little"
"$tenon" check reference --only 'queues/*' || fail "the reference fails in the group of queues"
"$tenon" check reference --only abi/table --json | tail -n 1 | grep -q '"done": true' || fail "--json ends without done"
"$tenon" check reference --only operators/relu/f32 --markdown | grep -q '^| relu | f32 | f32 |' || fail "no matrix"
"$tenon" check reference --perf --only perf/matmul-layer | grep -q 'Gflop/s' || fail "--perf measures nothing"
one=$("$tenon" check reference --only consistency/repeat --seed 7 --json | head -n 1 | sed 's/"seconds.*//')
two=$("$tenon" check reference --only consistency/repeat --seed 7 --json | head -n 1 | sed 's/"seconds.*//')
[ "$one" = "$two" ] || fail "the same seed gives other results"
checks() { "$tenon" check reference --only operators/concat/f32/forward --json "$@" | sed -n 's/.*"checks": \([0-9]*\).*/\1/p'; }
[ "$(checks --cases 3)" -gt 0 ] && [ "$(checks --cases 3)" -lt "$(checks)" ] && [ "$(checks --cases 99)" -eq "$(checks)" ] ||
    fail "--cases 3 doesn't try some of an operator's cases"
"$tenon" check reference --only operators/cast/i32 --cases 1 | grep -q ' 0 failed' || fail "--cases 1 tries none of a type's cases"
"$tenon" check "$null" --only operators/relu | grep -q unsupported || fail "what the template refuses is no 'unsupported'"
typed() { # a mistake in what was typed: exit status 2 and one line that has the word
    word=$1
    shift
    line=$("$tenon" check "$@" 2>&1 >/dev/null)
    status=$?
    [ $status -eq 2 ] || fail "'check $*': exit status $status, not 2"
    case $line in *'
'*) fail "'check $*': several lines: $line" ;; *"$word"*) ;; *) fail "'check $*': '$line' lacks '$word'" ;; esac
}
typed no/such/case reference --only no/such/case
typed /no/such/file.so /no/such/file.so
typed "no device 'nosuch'" nosuch
typed empty ''
"$tenon" check missing.so 2>&1 | grep -q "no file 'missing.so'" || fail "a name that ends in .so is no file"
(cd "$(dirname "$null")" && "$tenon" check "$(basename "$null")" --only abi/table) || fail "no file of this folder"
typed 'BACKEND.KEY=VALUE' reference --option nonsense --only abi/table
option() { # a wrong option of DEVICE's backend, or of one that isn't there
    typed "$1" "$2" --option "$3" --only abi/table
}
option 'reference.nope: reference has no such option; it has none' reference reference.nope=1
option "nope.x: there is no backend 'nope'" reference nope.x=1
option 'tenon.nope: the library has no such option; it has probe' reference tenon.nope=1
option "tenon.probe: 'junk' is not" reference tenon.probe=junk
option "null.nope: null has no such option" "$null" null.nope=1
if "$tenon" devices | grep -q '^cpu '; then
    option 'cpu.nope: cpu has no such option; it has' cpu cpu.nope=1
    option "cpu.isa: 'foo' is not base, avx2, avx512, avx512_bf16, amx or amx_model" cpu cpu.isa=foo
    option "cpu.threads: 'junk' is no whole number" cpu cpu.threads=junk
    option 'cpu.threads' cpu cpu.threads=0
    option "cpu.own: 'yes'" cpu cpu.own=yes
    option "cpu.grain: 'much'" cpu cpu.grain=much
    for wrong in far 1.5 .5 1.; do option "cpu.near: '$wrong' is no whole number of bytes" cpu cpu.near=$wrong; done
    option 'cpu.nope' auto cpu.nope=1
    "$tenon" check cpu --option cpu.isa=base,cpu.threads=2 --only abi/table || fail "options that are right are refused"
fi
if "$tenon" devices | grep -q '^opencl:0 '; then
    for wrong in nope=1 shape=round gemm=none grain=much platform=nobody; do
        line=$("$tenon" check opencl:0 --option opencl.$wrong --only abi/table 2>&1 >/dev/null) && fail "opencl.$wrong is taken"
        case $line in *"option opencl.${wrong%=*}: "*) ;; *) fail "opencl.$wrong: '$line'" ;; esac
    done
fi
"$tenon" check 2>/dev/null
[ $? -eq 2 ] || fail "no device is not a mistake in what was typed"
"$tenon" check "$null" --only loading/ || fail "the template does not load well"
exit 0
