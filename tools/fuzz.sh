#!/bin/sh
# Gives every reader of what others wrote to libFuzzer, with the address and undefined-behaviour sanitizers.
# usage: sh tools/fuzz.sh [SECONDS [READER...]]    (5 seconds of each)
# It begins with tests/fuzz/corpus (the smallest files for each edge: -merge=1 -use_counters=0 -max_len=600), and keeps
# what it finds in build/fuzz/corpus. An input that fails is left in build/fuzz with its path printed. Exit status 77:
# there is no clang with libFuzzer.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-5}
[ $# -eq 0 ] || shift
printf 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return n > 9 && *d; }' |
    clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null ||
    { echo 'fuzz: there is no clang with libFuzzer: sh tools/setup.sh build test'; exit 77; }
log=build/fuzz/configure.log
mkdir -p build/fuzz
cmake --preset fuzz -G Ninja >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build build/fuzz --target fuzz_target >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }

target=build/fuzz/bin/fuzz_target
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
[ $# -gt 0 ] || set -- $($target)
bad=0
for reader; do
    kept=build/fuzz/corpus/$reader given=tests/fuzz/corpus/$reader log=build/fuzz/$reader.log
    mkdir -p "$kept"
    $target --reader="$reader" --seeds="$kept"
    [ -d "$given" ] || given=
    if $target --reader="$reader" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=4096 \
        -close_fd_mask=3 -artifact_prefix="build/fuzz/$reader-" "$kept" $given >"$log" 2>&1; then
        echo "$reader: $(sed -n 's/^Done \([0-9]* runs\).*/\1/p' "$log"), $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    else
        grep -E 'ERROR|SUMMARY|Test unit written' "$log" | head -n 5
        echo "$reader: FAILED; $log has the rest"
        bad=1
    fi
done
exit $bad
