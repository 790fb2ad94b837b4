# The table of docs/onnx.md is what src/onnx/rules.def has.
# usage: sh page.sh RULES_DEF PAGE [--write]
set -eu
rules=$1 page=$2
table=$(mktemp)
trap 'rm -f "$table" "$table.page"' EXIT
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
    { sed '/^| operator | since opset/,$d' "$page"; cat "$table"; } >"$table.page"
    cat "$table.page" >"$page"
    exit 0
fi
sed -n '/^| operator | since opset/,$p' "$page" >"$table.page"
diff "$table" "$table.page" || { echo "docs/onnx.md is not what $rules has: sh tests/onnx/page.sh $rules $page --write"; exit 1; }
