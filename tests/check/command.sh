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
"$tenon" check reference --option nonsense --only abi/table 2>/dev/null && fail "a bad option is no failure"
"$tenon" check 2>/dev/null
[ $? -eq 2 ] || fail "no device is not a mistake in what was typed"
"$tenon" check "$null" --only loading/ || fail "the template does not load well"
exit 0
