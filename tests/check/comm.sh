#!/bin/sh
# comm.sh TENON FAULTY FOLDER: `tenon check --comm` passes what is right, and finds each fault; `tenon doctor` lists what
# there is. FAULTY has communicators with a fault, FOLDER those that come with Tenon.
tenon=$1 faulty=$2 folder=$3
fail() { echo "FAILED: $*"; exit 1; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none

out=$("$tenon" check --comm local) || fail "local: $out"
[ "$(echo "$out" | grep -c 'passed')" = 14 ] || fail "local: not all was tried: $out"
"$tenon" check --comm local --json | grep -q '{"case": "sizes", "ranks": 4, "outcome": "passed"' || fail "no JSON"

# finds CASE WORDS: of the communicator `wrong`, with the fault WRONG
export TENON_COMM_PATH="$faulty"
finds()
{
    out=$("$tenon" check --comm wrong) && fail "$WRONG: all is said to be well"
    echo "$out" | grep -A1 "^$1 .* FAILED" | grep -q "$2" || fail "$WRONG: no '$2' of $1: $out"
}
export WRONG
WRONG=none && "$tenon" check --comm wrong >/dev/null || fail "without a fault it fails"
WRONG=turned && finds messages "rank"
WRONG=swallows && finds sizes "all is well"
WRONG=crashes && finds together "died of Aborted"

out=$("$tenon" check --comm post_fails) && fail "post_fails passes"
echo "$out" | grep -q 'no room' || fail "post_fails: $out"
typed() { # exit status 2 and a line with the word
    word=$1
    shift
    line=$("$tenon" check "$@" 2>&1 >/dev/null)
    [ $? -eq 2 ] || fail "'check $*': '$line' is no mistake in what was typed"
    case $line in *"$word"*) ;; *) fail "'check $*': '$line' lacks '$word'" ;; esac
}
typed 'there is no nobody.so' --comm nobody
typed 'not both' --comm local cpu
typed 'not for --comm' --comm local --seed 7
"$tenon" check --comm tiny 2>&1 | grep -q 'a table of 8 bytes' || fail "tiny is taken"

"$tenon" doctor >doctor.out 2>&1
for line in 'ok .*communicator local 1: threads of one process' 'skipped .*communicator tiny has a table of 8 bytes' \
    'skipped .*communicator wrong_major is made for ABI version 9.0'; do
    grep -q "^$line" doctor.out || fail "doctor does not say '$line': $(cat doctor.out)"
done
rm -f doctor.out

for name in openmpi mpich; do
    [ -e "$folder/$name.so" ] && command -v mpirun.$name >/dev/null || continue
    out=$("$tenon" check --comm $name) || fail "$name alone: $out"
    echo "$out" | grep -q "mpirun -n 2 tenon check --comm $name" || fail "$name: not said how it is tried: $out"
    over=$([ $name = openmpi ] && echo --oversubscribe)
    out=$(mpirun.$name $over -n 3 "$tenon" check --comm $name </dev/null 2>&1) || fail "$name: $out"
    [ "$(echo "$out" | grep -c 'passed')" = 3 ] || fail "$name: not each once: $out"
done
