#!/bin/sh
# mpi.sh NAME WORKER FOLDER WHAT: processes that mpirun of one MPI library starts. Exit status 77: it is not there.
#   exercise  1 to 4 ranks do all that a team does
#   ends      one of 3 ranks dies, hangs or fails at any moment: the others end within seconds, with a line that says so
name=$1 worker=$2 folder=$3 what=$4
[ -e "$folder/$name.so" ] || { echo "there is no communicator $name: its headers were not there"; exit 77; }
command -v mpirun."$name" >/dev/null || { echo "there is no mpirun.$name"; exit 77; }
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers may forbid to read another process's memory
export TEST_COMM="$name"

# start RANKS ARGUMENTS...
start()
{
    ranks=$1
    shift
    case $name in
    openmpi) timeout 60 mpirun.openmpi --oversubscribe -n "$ranks" "$worker" "$@" ;;
    *) timeout 60 mpirun."$name" -n "$ranks" "$worker" "$@" ;;
    esac >"$out" 2>&1 </dev/null
}

failed()
{
    echo "FAILED: $name, $*"
    cat "$out"
    exit 1
}

exercise()
{
    for ranks in 1 2 3 4; do
        start "$ranks" exercise 0 "$ranks" || failed "$ranks ranks"
        grep -q "^worker: $ranks ranks are done" "$out" || failed "$ranks ranks"
    done
    TEST_CHUNK=1000 start 2 exercise 0 5 || failed "messages of 1000 bytes"
}

# The launcher names a process that is gone (MPICH by its number); what hangs or fails is named by the team.
ends()
{
    seed=0
    for rank in 0 2; do
        for end in kill stop exit fail; do
            seed=$((seed + 1))
            begun=$(date +%s)
            start 3 $end $rank $seed 2 && failed "$end of rank $rank: the status is 0"
            took=$(($(date +%s) - begun))
            [ $took -lt 60 ] || failed "$end of rank $rank: the others went on for $took s"
            case $end in
            stop) line="rank $rank has not answered" ;;
            fail) line="rank $rank: data.csv: no such file" ;;
            *) line="the end of rank $rank" ;;
            esac
            [ "$(grep -c "^worker: $line" "$out")" = 1 ] || failed "$end of rank $rank: no one line '$line'"
        done
    done
}

$what
