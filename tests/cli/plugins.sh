# Plugins that misbehave: the command names them, and works on everything else.
# sh plugins.sh TENON SCRATCH DEVICE JSON_LINES PLUGINS BACKENDS
plugins=$5 backends=$6
. "$(dirname "$0")/common.sh"
TENON_CACHE=$scratch/cache
export TENON_CACHE

# Files that a terminal would obey if it saw their names: ESC [2J, and the same as one byte.
mkdir odd
cp "$plugins/no_symbol.so" "odd/$(printf 'a\033[2Jb\2332Jc').so"
unclean() { LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177-\237]')" "$1"; }

for villain in crash_load leave_load abort_query leave_init crash_init abort_count crash_describe; do
    export TENON_BACKEND_PATH="$plugins/villain_$villain.so:$scratch/odd"
    for command in devices "devices --json" doctor ops "train --data digits:200 --epochs 1 --device auto"; do
        # shellcheck disable=SC2086 # words
        "$tenon" $command >stdout 2>stderr || fail "$villain: '$command': exit status $?: $(cat stderr)"
        cat stdout stderr >all
        case $command in
        ops*) ;;
        *) grep -q "villain_$villain.so.*when it" all || fail "$villain: '$command' does not name it: $(cat all)" ;;
        esac
        unclean all && fail "$villain: '$command' prints what a terminal obeys: $(cat -v all)"
    done
    "$tenon" train --data digits:200 --epochs 1 --device "$device" >stdout 2>stderr || fail "$villain: train: $(cat stderr)"
    grep -q villain stderr && fail "$villain: touched by training on $device: $(cat stderr)"
done

# Naming a device runs nothing of another backend, not even in a process of its own: each adds a byte to this file.
export VILLAIN_TRACE="$scratch/trace" TENON_BACKEND_PATH="$plugins/villain_none_ever.so"
train --epochs 1 --save m.safetensors 2>stderr || fail "train: $(cat stderr)"
for command in "eval --model m.safetensors" "check --only abi/table" "ops" "bench op matmul 8x8x8"; do
    case $command in check* | ops) set -- "$device" ;; *) set -- --device "$device" ;; esac
    # shellcheck disable=SC2086 # words
    "$tenon" $command "$@" >all 2>&1 || fail "'$command $*': $(cat all)"
done
[ ! -e trace ] || fail "another backend was run while a device was named"
"$tenon" devices >all 2>&1
[ -s trace ] || fail "the trace shows nothing: $(cat all)"
unset VILLAIN_TRACE

# A driver's file that crashes takes its backend with it, no more.
unset TENON_BACKEND_PATH
if [ -f "$backends/opencl.so" ]; then
    mkdir icd
    echo "$plugins/villain_crash_load.so" >icd/bad.icd
    for command in devices doctor ops "train --data digits:200 --epochs 1"; do
        # shellcheck disable=SC2086 # words
        OCL_ICD_VENDORS=$scratch/icd "$tenon" $command >all 2>&1 || fail "a driver that crashes: '$command': $(cat all)"
    done
    grep -q 'opencl.so.* when it' all || fail "a driver that crashes is not named: $(cat all)"
fi

# No terminal obeys the names of files that are read and written.
odd=$(printf 'p\033[2Jq\2332Jr')
for command in "eval --model" "predict --model" "train --resume"; do
    # shellcheck disable=SC2086 # words
    "$tenon" $command "$odd" >all 2>&1 && fail "'$command' of a file that is not there"
    unclean all && fail "'$command' prints what a terminal obeys: $(cat -v all)"
done
train --epochs 1 --save "$odd" >all 2>&1 || fail "train: $(cat -v all)"
unclean all && fail "train prints what a terminal obeys: $(cat -v all)"
train --epochs 1 --json --save "$odd" >all 2>&1 || fail "train --json: $(cat -v all)"
unclean all && fail "train --json prints what a terminal obeys: $(cat -v all)"
finish
