#!/bin/sh
# One line about a run of ctest, from its JUnit file.
# usage: sh tools/summary.sh FILE
set -eu
awk '
function attribute(name) { return match($0, name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3) : 0 }
{ tests += attribute("tests"); failed += attribute("failures"); skipped += attribute("skipped") + attribute("disabled") }
/<testcase/ { exit }
END { printf "%d passed, %d failed", tests - failed - skipped, failed; if (skipped) printf ", %d skipped", skipped; print "" }
' "$1"
