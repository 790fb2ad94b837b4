# The tables of docs/onnx.md are what src/onnx/rules.def has and what nodes.txt beside this says of ONNX's tests.
# usage: sh page.sh RULES_DEF PAGE [--write]
set -eu
rules=$1 page=$2 nodes=$(dirname "$0")/nodes.txt
table=$(mktemp)
trap 'rm -f "$table" "$table".*' EXIT

# The version, counts by device, and what is missing, by its reason.
awk -F'\t' '
    $1 == "onnx" { printf "Of the package `onnx` %s:\n\n| device | passed | wrong | missing | not applicable |\n| --- | --- | --- | --- | --- |\n", $2 }
    $1 == "device" { printf "| `%s` | %s | %s | %s | %s |\n", $2, $3, $4, $5, $6 }
    $1 == "missing" {
        sub(/^test_/, "", $2)
        if (!($3 in names)) reason[++reasons] = $3
        names[$3] = names[$3] (names[$3] ? ", " : "") $2
        count[$3]++
    }
    END {
        print "\n| missing | tests | of them |\n| --- | --- | --- |"
        for (i = 1; i <= reasons; i++) printf "| %s | %d | %s |\n", reason[i], count[reason[i]], names[reason[i]]
    }' "$nodes" >"$table.nodes"
{
    sed '/^<!-- nodes: made by tests\/onnx\/page.sh -->$/q' "$page"
    cat "$table.nodes"
    sed -n '/^<!-- nodes: end -->$/,$p' "$page"
} >"$table.whole"
{
    printf '| operator | since opset | operands | ours |\n| --- | --- | --- | --- |\n'
    sed -n 's/^\([A-Z]*\)(\([A-Za-z0-9]*\), \([0-9]*\), \(.*\))$/\1|\2|\3|\4/p' "$rules" | awk -F'|' '
        $1 ~ /^(RULE|TABLE|RUNTIME)$/ { split($4, part, "\", "); sub(/^"/, "", part[1]); operands = part[1]; ours = "a rule" }
        $1 !~ /^(RULE|TABLE|RUNTIME)$/ { ours = $4; operands = $1 == "UNARY" ? "x" : $1 == "REDUCE" ? "x axes?" : "a b"; sub(/^onnx_/, "", ours); ours = "`" ours "`" }
        $1 == "RUNTIME" { $2 = $2 " (`com.microsoft`)" }
        $1 == "TABLE" { $2 = $2 " (`ai.onnx.ml`)" }
        { printf "| %s | %s | %s | %s |\n", $2, $3, operands, ours }' | LC_ALL=C sort -f
} >"$table"
if [ "${3:-}" = --write ]; then
    { sed '/^| operator | since opset/,$d' "$table.whole"; cat "$table"; } >"$table.page"
    cat "$table.page" >"$page"
    exit 0
fi
sed -n '/^| operator | since opset/,$p' "$page" >"$table.page"
diff "$page" "$table.whole" && diff "$table" "$table.page" || { echo "docs/onnx.md is not what $rules and $nodes have: sh tests/onnx/page.sh $rules $page --write"; exit 1; }
