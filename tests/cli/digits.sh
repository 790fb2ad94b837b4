# Digits that lie anywhere, on any paper, are read nearly as well as framed ones: of the built-in set, or of MNIST.
# Three arguments more: the program that makes the pictures, the data set (TENON_MNIST takes the place of a folder), and
# how many in 1000 may be lost.
. "$(dirname "$0")/common.sh"
paste=$5 data=$6 loss=$7
[ "$data" = digits ] || data=${TENON_MNIST:-$data}
if [ "$data" != digits ] && [ ! -d "$data" ]; then
    echo "MNIST is not at $data (set TENON_MNIST): skipped"
    [ -n "${TENON_REQUIRE_MNIST:-}" ] && exit 1
    exit 77
fi

# right MODEL FOLDER OPTION...: how many of its pictures are read right, in 1000
right() {
    model=$1 folder=$2
    shift 2
    "$tenon" predict --model "$model" --device "$device" "$@" "$folder"/*.pgm 2>warnings >said || fail "$(tail -n 1 warnings)"
    awk '{ split($1, part, /[-.]/); right += part[2] == $2 } END { printf "%d\n", 1000 * right / NR }' said
}

for paper in corner any none; do
    mkdir $paper
    (cd $paper && "$paste" "$data" 200 $paper) || fail "the pictures were not made"
done
limit=
[ "$data" = digits ] || limit="--limit 20000"
# shellcheck disable=SC2086 # two words, or none
"$tenon" train --data "$data" $limit --net mlp --epochs 4 --device "$device" --save m.safetensors 2>stderr >train || fail "$(cat stderr)"

framed=$(right m.safetensors none --frame no)
before=$(right m.safetensors corner --frame no)
echo "in 1000: framed $framed; $before anywhere on off-white paper without framing"
[ "$framed" -ge 900 ] || fail "the network did not learn: $framed"
[ "$before" -le 400 ] || fail "these pictures are too easy to show anything: $before"
for paper in corner any none; do
    after=$(right m.safetensors $paper)
    echo "with framing, $paper: $after"
    [ "$after" -ge $((framed - loss)) ] || fail "$paper: $after of 1000 read right, and $framed of the framed ones"
done

# A model of before there was framing reads them as it did, and says what it lacks when asked.
LC_ALL=C sed 's/"framing"/"frame__"/' m.safetensors >old.safetensors
old=$(right old.safetensors corner)
[ "$old" = "$before" ] || fail "without the note: $old, not $before"
"$tenon" predict --model old.safetensors --device "$device" --frame yes none/*.pgm 2>stderr >said
[ $? = 1 ] || fail "--frame yes without the note: $(cat stderr)"
grep -q 'does not say how the pictures of its set are framed' stderr || fail "--frame yes: $(cat stderr)"
"$tenon" predict --model m.safetensors --device "$device" --frame maybe none/*.pgm 2>stderr >said
[ $? = 2 ] || fail "--frame maybe: $(cat stderr)"

# A sheet without ink, and one with two digits.
awk 'BEGIN { print "P2 60 60 255"; for (i = 0; i < 3600; i++) print(230 + i * 7 % 5) }' >blank.pgm
awk 'BEGIN { print "P2 60 60 255"; for (i = 0; i < 3600; i++) { x = i % 60; y = i / 60; print((y > 9 && y < 50 && (x > 9 && x < 14 || x > 39 && x < 44)) ? 20 : 230) } }' >two.pgm
"$tenon" predict --model m.safetensors --device "$device" blank.pgm two.pgm 2>stderr >said || fail "$(cat stderr)"
grep -q 'warning: blank.pgm: doubtful: no ink found' stderr || fail "blank: $(cat stderr)"
grep -q 'warning: two.pgm: doubtful: several separate things' stderr || fail "two: $(cat stderr)"
"$tenon" predict --model m.safetensors --device "$device" --json blank.pgm 2>stderr | tee said | "$json_lines" input class probability doubt outputs || fail "json: $(cat said)"
finish
