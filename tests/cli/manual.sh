# Manuals: each command has one, with the options that its help has and no others; man and mandoc have nothing to say.
# usage: sh manual.sh TENON SCRATCH DEVICE JSON_LINES SHARE SOURCE, the last two where the pages and the sources are
. "$(dirname "$0")/common.sh"
pages=$5/man/man1
sources=$6

# The options in a help text: those that begin a line.
of_help() { sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' "$1" | sort; }
of_page() { sed -n 's/\\-/-/g; s/^\\fB\(--[a-z0-9-]*\).*/\1/p' "$1" | sort; }

"$tenon" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' >commands
[ "$(wc -l <commands)" -gt 8 ] || fail "--help lists $(wc -l <commands) commands"
while read -r command; do
    page=$pages/tenon-$command.1
    "$tenon" "$command" --help >help || fail "$command --help"
    "$tenon" "$command" --model x.onnx --help >onnx 2>/dev/null && cmp -s help onnx || cat onnx >>help
    [ "$command" = sweep ] && "$tenon" train --help >>help
    of_help help | uniq >in_help
    of_page "$page" | uniq >in_page
    case $command in
    sweep) # train's, but for those that are for one training
        grep -vxE -e '--(save|best|weights|diverged|resume|curve|log|report|trace|fold)' in_help | cmp -s - in_page ;;
    *) cmp -s in_help in_page ;;
    esac || fail "$page: $(diff in_help in_page)"
    grep -q "^\.BR tenon\\\\-$command (1)" "$pages/tenon.1" || fail "tenon.1 doesn't name tenon-$command(1)"
done <commands
[ "$(ls "$pages" | wc -l)" = $(($(wc -l <commands) + 1)) ] || fail "pages of no command: $(ls "$pages")"
grep -q '^\\fBcross_entropy' "$pages/tenon-train.1" || fail "tenon-train.1 has no losses"

# The environment that the program looks at.
grep -rhoE 'getenv\("TENON_[A-Z_]*' "$sources/src" | sed 's/.*"//' | sort -u >looked_at
while read -r name; do
    grep -q "^\\\\fB$name" "$pages/tenon.1" || fail "tenon.1 doesn't tell of $name"
done <looked_at

# Those who read them.
for page in "$pages"/*.1; do
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$page" >said 2>&1 || fail "mandoc: $(cat said)"
    fi
    if command -v groff >/dev/null; then
        groff -man -Tutf8 -ww -z "$page" >said 2>&1 && [ ! -s said ] || fail "groff: $page: $(cat said)"
    fi
done
finish
