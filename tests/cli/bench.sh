# `tenon bench`: training, using a network, operators; and what the scripts of bench/ make of them.
. "$(dirname "$0")/common.sh"
scripts=$5

bench() { "$tenon" bench "$@" --repeats 1 --device "$device"; }

bench train --samples 256 --batch 128 --json 2>/dev/null | "$json_lines" samples_per_s || fail "bench train"
bench train --shape 3x8x5 --samples 8 --batch 4 --json 2>/dev/null | "$json_lines" samples_per_s || fail "bench train --shape"
bench train --shape 3x8 --samples 8 --batch 4 2>/dev/null && fail "bench train takes a shape of two sizes"
bench infer --batch 3 --seconds 0.001 --json 2>/dev/null | "$json_lines" samples_per_s || fail "bench infer"
bench infer --net "linear 3, nonsense" 2>err && fail "bench infer takes a layer that is none"
grep -q nonsense err || fail "bench infer does not name the layer: $(cat err)"
for op in "matmul 5x6x7" "map 10" "exp 10" "reduce 3x4" "softmax 3x4"; do
    bench op $op --seconds 0.001 --json 2>/dev/null | "$json_lines" seconds || fail "bench op $op"
done

# A profile has every kernel of a step; shards run more than one program.
bench train --samples 8 --batch 4 --profile --json >answer 2>err || fail "bench train --profile: $(cat err)"
"$json_lines" profile samples_per_s <answer || fail "bench train --profile: $(cat answer)"
for key in kernel_seconds peaks floor matmul calls share; do
    grep -q "\"$key\"" answer || fail "bench train --profile has no $key: $(cat answer)"
done
bench train --samples 8 --batch 4 --profile >answer 2>err || fail "bench train --profile: $(cat err)"
grep -q '^matmul  *f32 (4, 100) ' answer || fail "no product in the profile: $(cat answer)"
[ "$(wc -L <answer)" -le 110 ] || fail "the profile is too wide: $(cat answer)"
bench infer --batch 3 --seconds 0.001 --profile --json | "$json_lines" profile || fail "bench infer --profile"
bench train --shards 2 --samples 8 --batch 4 --profile 2>err && fail "--profile of shards"
grep -q -e --profile err || fail "bench train --shards --profile: $(cat err)"
bench op exp 10 --profile 2>err && fail "bench op --profile"
grep -q -e "--profile is of bench train" err || fail "bench op --profile: $(cat err)"

# Tokens: of 6 samples, 4 are whole batches; a step that is not there is said.
bench train --net "embedding 7 4, position, project 7" --shape 1x1x5 --samples 6 --batch 4 >answer 2>err ||
    fail "bench train on tokens: $(cat err)"
grep -q "epochs of 4)" answer || fail "samples of batches that are not whole count: $(cat answer)"
bench train --net "embedding 7 4, project 7" --shape 1x1x5 --samples 4 --batch 4 --json | grep -q '"shards": 1,' || fail "shards of tokens"
bench train --net "embedding 7 4, project 7" --shape 1x1x5 --samples 4 --batch 4 --shards 2 2>err && fail "tokens in shards"
grep -q "not in 2 shards" err || fail "tokens in shards: $(cat err)"
bench train --net "embedding 7 4, project 5" --shape 1x1x5 --samples 4 --batch 4 2>err && fail "logits of 5 for 7 tokens"
bench infer --net "embedding 7 4, project 7" --shape 1x1x5 --batch 2 --seconds 0.001 >answer || fail "bench infer on tokens"

# What an option does not change is said, and with --strict an error.
warned() {
    bench "$@" --batch 2 --samples 2 --shape 1x4x4 --net "conv 2 3x3, flatten, linear 10" --layout channels-last 2>err >answer &&
        grep -q "warning: --layout channels-last changes nothing: cpu makes no convolution of this network so" err || fail "$1 --layout: $(cat err)"
    bench "$@" --batch 2 --samples 2 --shape 1x4x4 --net "conv 2 3x3, flatten, linear 10" --layout channels-last --strict 2>err && fail "$1 --strict"
    grep -q "cpu makes no convolution with channels last, and nothing else is allowed" err || fail "$1 --strict: $(cat err)"
}
[ "$device" != cpu ] || { warned train && warned infer --seconds 0.001; }

# The networks that are compared with others', in small.
python3 - "$scripts" >jobs <<'PYTHON' || fail "bench/jobs.py"
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from jobs import JOBS
for name, job in JOBS.items():
    print(name, job.optimizer, job.shape, " ".join(job.more) or "--strict", job.net, sep="|")
PYTHON
[ "$(wc -l <jobs)" -ge 9 ] || fail "jobs: $(cat jobs)"
[ "$device" = cpu ] || sed -i '/^a128\|^mobilenet\|^resnet/d' jobs # which take long there
while IFS='|' read -r name optimizer shape more net; do
    # shellcheck disable=SC2086 # several words
    bench train --net "$net" --optimizer "$optimizer" --shape "$shape" $more --batch 2 --samples 2 >answer 2>err ||
        fail "bench train of $name: $(cat err)"
done <jobs

# Two files of figures become one table; a later file's come in place of an earlier one's.
row() { printf '{"job": "%s", "infer": %s, "who": "%s", "mode": "%s", "accuracy": "%s", "rates": [1], "median": %s, "peak_mib": 9}' "$@"; }
about='"date": "2020-02-02", "machine": "a mill", "rounds": 3, "threads": 2, "versions": {"PyTorch": "9.1"}'
echo "{$about, \"rows\": [$(row a32 0 Tenon cpu f32 100), $(row a32 0 PyTorch eager f32 400)]}" >one.json
echo "{$about, \"rows\": [$(row a32 0 Tenon cpu f32 3000), $(row a32 0 PyTorch fused+bf16 bf16 5000),
    $(row lstm32 64 Tenon cpu f32 7)]}" >two.json
printf 'before\n<!-- speeds: written by bench/report.py -->\nold\n<!-- end of speeds -->\nafter\n' >page.md
python3 -B "$scripts/report.py" one.json two.json --into page.md || fail "report.py"
grep -q "batch 32 | 3,000 (7.50) | 400 eager | 5,000 fused, bf16 |" page.md || fail "the table: $(cat page.md)"
grep -q "a mill with 2 threads, 2020-02-02, against PyTorch 9.1" page.md || fail "what was measured: $(cat page.md)"
grep -q 'f32 are on `cpu` 7.50 to 7.50 times as fast' page.md || fail "the least and the most: $(cat page.md)"
grep -q "in batches of 64" page.md || fail "using networks: $(cat page.md)"
[ "$(head -n 1 page.md)$(tail -n 1 page.md)$(grep -c old page.md)" = beforeafter0 ] || fail "the page: $(cat page.md)"

# Speeds by size become a chart; a peer's best mode counts.
echo "{$about, \"rows\": [$(row width128 0 Tenon cpu f32 90), $(row width256 0 Tenon cpu f32 70),
    $(row width128 0 PyTorch eager f32 40), $(row width128 0 PyTorch fused f32 50)]}" >sizes.json
python3 -B "$scripts/sizes.py" sizes.json sizes.svg || fail "sizes.py"
grep -q "width256, Tenon, cpu: 70 samples/s" sizes.svg || fail "the chart's figures: $(cat sizes.svg)"
[ "$(grep -c "<circle" sizes.svg)" -eq 3 ] || fail "the chart's points: $(cat sizes.svg)"
sed 's/a mill/another/' two.json >other.json
python3 -B "$scripts/report.py" one.json other.json >answer 2>&1 && fail "figures of two machines in one table"
finish
