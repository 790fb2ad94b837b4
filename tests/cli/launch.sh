# Sourced by the scripts about workers, in place of common.sh: sh SCRIPT TENON SCRATCH DEVICE JSON_LINES NAME FOLDER
# NAME is an MPI library, FOLDER that of the communicators. Exit status 77: it is not there.
. "$(dirname "$0")/common.sh"
name=$5 folder=$6
[ -e "$folder/$name.so" ] || { echo "there is no communicator $name: its headers were not there"; exit 77; }
command -v mpirun."$name" >/dev/null || { echo "there is no mpirun.$name"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers may forbid to read another process's memory

launcher=mpirun.$name
[ "$name" != openmpi ] || launcher="$launcher --oversubscribe"

# launch ARGUMENTS OF mpirun...
launch() { $launcher "$@" </dev/null; }
