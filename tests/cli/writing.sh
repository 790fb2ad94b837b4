# Texts: trained on, measured, written; a resumed training comes to the same bits, and what is written is text.
. "$(dirname "$0")/common.sh"

# A text of two bytes a letter now and then, whose end is another's beginning.
awk 'BEGIN { for (i = 0; i < 260; i++) printf "%d: ein Mühlrad dreht sich für %d € weiter.\n", i, i * 7 % 13 }' >book.txt
net="embedding outputs 12, position, transformer 2 causal 1, layer_norm, project outputs"
train_text() {
    given --data "$@" || set -- --data book.txt "$@"
    given --context "$@" || set -- --context 24 "$@"
    given --net "$@" || set -- --net "$net" "$@"
    "$tenon" train --device "$device" "$@"
}

# Without more options there are enough steps; with --epochs so many.
train_text --epochs 4 --lr 0.01 --json --save m --report r.html --log l.jsonl --curve c.svg >said 2>stderr || fail "train: $(cat stderr)"
"$json_lines" <said || fail "no JSON"
grep -q 'loss cross_entropy: which of 256 bytes comes next' stderr || fail "what is learnt: $(cat stderr)"
[ "$(grep -c '"epoch"' said)" = 4 ] || fail "--epochs: $(cat said)"
tail -n 1 said | grep -q '"perplexity": [0-9.]*, "bits_per_byte": [0-9.]*' || fail "measures: $(tail -n 1 said)"
grep -q '"bits_per_byte"' l.jsonl || fail "--log: $(cat l.jsonl)"
grep -q 'bits per byte</div>' r.html || fail "--report"
tail -n 1 said | tr ',{}' '\n\n\n' | awk -F': ' '/^ ?"loss"/ { loss = $2 } /perplexity/ { p = $2 } /bits_per/ { b = $2 }
    END { d = p / exp(loss) - 1; e = b * log(2) / loss - 1; exit !(d * d < 1e-10 && e * e < 1e-10) }' || fail "perplexity: $(tail -n 1 said)"
train_text --epochs 4 --lr 0.01 --validation 0.1 2>/dev/null | grep -q '^test: .* bytes, perplexity .* bits per byte, .* % right' || fail "the last line"

# To the same bits in two parts.
train_text --epochs 2 --lr 0.01 --save half >/dev/null 2>&1 || fail "half"
"$tenon" train --resume half --epochs 4 --save whole --device "$device" >/dev/null 2>stderr || fail "--resume: $(cat stderr)"
weights() { "$tenon" train --resume "$1" --epochs 5 --device "$device" --json 2>/dev/null | sed -n 's/, "samples_per_s.*//p' | head -n 1; }
[ -n "$(weights m)" ] && [ "$(weights m)" = "$(weights whole)" ] || fail "resumed: $(weights m) $(weights whole)"
"$tenon" train --resume half --context 12 --epochs 4 2>stderr && fail "another context"
grep -q -e '--context' stderr || fail "another context: $(cat stderr)"

# Measured on its end, and on all of another text, also packed and from standard input.
"$tenon" eval --model m --device "$device" --json >own || fail eval
tr ',{}' '\n\n\n' <own | sed -n 's/^ *"test_loss"/"loss"/p' >loss
tail -n 1 said | grep -qF "$(cut -d' ' -f2 loss)" || fail "eval: $(cat own) $(tail -n 1 said)"
gzip -k book.txt
"$tenon" eval --model m --device "$device" --data book.txt --json 2>/dev/null | sed 's/.*"samples"//' >plain || fail "eval --data"
"$tenon" eval --model m --device "$device" --data book.txt.gz --json 2>/dev/null | sed 's/.*"samples"//' | cmp -s - plain || fail "packed"
"$tenon" eval --model m --device "$device" --data - --json <book.txt 2>/dev/null | sed 's/.*"samples"//' | cmp -s - plain || fail "standard input"
"$tenon" info m >info || fail info
grep -q 'context 24' info && grep -q '24 x 256' info || fail "info: $(cat info)"

# Writes what was asked for, and nothing but text, whatever it learnt.
predict() { "$tenon" predict --model m --device "$device" "$@"; }
predict --prompt "7: ein" --length 50 >one || fail "--prompt"
predict --prompt "7: ein" --length 50 | cmp -s - one || fail "the same seed writes otherwise"
predict --prompt "7: ein" --length 50 --seed 2 | cmp -s - one && fail "another seed writes the same"
predict --prompt "$(printf '7: e\r\nein')" --length 50 | tr -d '\r' >two
predict --prompt "$(printf '7: e\nein')" --length 50 | cmp -s - two || fail "a line end of Windows in the prompt"
[ "$(head -c 6 one)" = "7: ein" ] || fail "the prompt: $(cat one)"
python3 - "$tenon" "$device" <<'PY' || fail "what is written"
import json, subprocess, sys
def write(*words):
    done = subprocess.run([sys.argv[1], "predict", "--model", "m", "--device", sys.argv[2], *words], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8")
for prompt in ("", "ü", "x" * 60 + "€"):
    text = write("--prompt", prompt, "--length", "80", "--temperature", "3", "--seed", "5")
    assert len(text) == len(prompt) + 81 and text.startswith(prompt) and text.endswith("\n"), text
    assert all(c in "\n\t" or c.isprintable() or ord(c) > 127 for c in text), repr(text)
    assert text == prompt + json.loads(write("--prompt", prompt, "--length", "80", "--temperature", "3", "--seed", "5", "--json"))["text"] + "\n"
cold = write("--prompt", "3: e", "--length", "30", "--temperature", "0")
assert cold == write("--prompt", "3: e", "--length", "30", "--temperature", "9", "--top", "1", "--seed", "77"), cold
PY

# What does not fit is said.
refuses() {
    wanted=$1
    shift
    "$@" >said 2>stderr && fail "taken: $*"
    grep -q -e "$wanted" stderr || fail "$*: $(cat stderr)"
}
refuses 'writes texts: --prompt' predict book.txt
refuses 'a text goes on from one' predict --prompt a book.txt
refuses '--top belongs to --prompt' "$tenon" predict --model m --top 3 book.txt
refuses 'should begin with .embedding 256' train_text --net "embedding 256 8, linear 256"
refuses 'have no scale' train_text --scale standard
refuses 'but text' train_text --class-weights balanced
refuses 'its last tenth' train_text --context 2000
refuses 'a text to learn takes --net gpt-tiny' "$tenon" train --data book.txt --epochs 1
printf 'caf\351\n' >latin.txt
refuses 'line 1 .* no UTF-8' train_text --data latin.txt
train --epochs 1 --save digits >/dev/null 2>&1 || fail digits
refuses 'is for models of texts' "$tenon" predict --model digits --prompt a
refuses '--context is for texts' "$tenon" train --data digits:50 --context 8

# By characters: as many classes as the training part has, and one for all others.
train_text --characters --epochs 4 --lr 0.01 --json --save c --report c.html >said 2>stderr || fail "characters: $(cat stderr)"
python3 - <<'PY' || fail "characters: $(head -n 1 stderr)"
text = open("book.txt", encoding="utf-8", newline="").read()
raw = text.encode()
at = len(raw) - len(raw) // 10
while raw[at] & 0xc0 == 0x80:
    at += 1
wanted = f"which of {len(set(raw[:at].decode())) + 1} characters comes next"
assert wanted in open("stderr").read(), wanted
count = (len(raw[at:].decode()) - 1) // 24 * 24
assert f'"characters": {count},' in open("said").read().splitlines()[-1], count
PY
tail -n 1 said | grep -q '"perplexity": [0-9.]*, "bits_per_character": [0-9.]*' && grep -q 'bits per character</div>' c.html || fail "measures: $(tail -n 1 said)"
"$tenon" eval --model c --device "$device" >own || fail "eval of characters"
grep -q 'characters, perplexity' own || fail "eval of characters: $(cat own)"
printf 'ein Mühlrad, und 日本 ist nicht dabei; ein Mühlrad dreht sich für 7 € weiter.\n' >new.txt
"$tenon" eval --model c --device "$device" --data new.txt >said 2>stderr && grep -q '72 characters' said || fail "another text: $(cat said stderr)"
grep -q '^  6 of them (8.33 %) are none that it learnt' said || fail "outside the alphabet: $(cat said)"
! grep -q 'none that it learnt' own || fail "all of it is learnt: $(cat own)"
"$tenon" eval --model c --device "$device" --data new.txt --json 2>/dev/null | grep -q '"outside": 6' || fail "outside, --json"
"$tenon" eval --model c --device "$device" --data new.txt --report new.html >/dev/null 2>&1 && grep -q '<b>8.33 %</b>not in the alphabet' new.html || fail "outside, --report"
printf '\357\277\275\357\277\275\357\277\275\n' | tr -d '\n' >lost.txt
i=0; while [ $i -lt 6 ]; do cat lost.txt lost.txt lost.txt; i=$((i + 1)); done >all_lost.txt
refuses 'all_lost.txt: nothing but U+FFFD' train_text --data all_lost.txt --characters
"$tenon" predict --model c --device "$device" --prompt "3: ein" --length 20 >wrote 2>stderr || fail "a prompt"
"$tenon" predict --model c --device "$device" --prompt "$(printf '\357\273\277')3: ein" --length 20 >marked 2>stderr || fail "a mark of the byte order: $(cat stderr)"
cmp wrote marked || fail "a mark of the byte order is not left out"
"$tenon" predict --model c --device "$device" --prompt "3: ein Mühl" --length 300 --temperature 99 >wrote 2>stderr || fail "write characters: $(cat stderr)"
python3 - <<'PY' || fail "written characters: $(cat wrote)"
known, wrote = set(open("book.txt", encoding="utf-8").read()), open("wrote", encoding="utf-8").read()
assert wrote.startswith("3: ein Mühl") and len(wrote) == 11 + 300 + 1 and set(wrote) <= known, wrote
PY
"$tenon" predict --model c --device "$device" --prompt "日" 2>stderr && fail "a prompt of unknown characters"
grep -q "'日' is none of the [0-9]* characters that c learnt" stderr || fail "a prompt of unknown characters: $(cat stderr)"
python3 - <<'PY'
import json, struct
data = open("c", "rb").read()
end = 8 + struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:end])
notes = head["__metadata__"]
notes["class_names"] = notes["class_names"][: notes["class_names"].rindex("\n", 0, -1)] + "\n\\"
head = json.dumps(head).encode()
head += b" " * (-len(head) % 8)
open("cut", "wb").write(struct.pack("<Q", len(head)) + head + data[end:])
PY
refuses 'cut: its alphabet makes no sense' "$tenon" predict --model cut --device "$device" --prompt "3: ein"
train_text --characters --epochs 2 --lr 0.01 --save half >/dev/null 2>&1
"$tenon" train --resume half --epochs 4 --save whole --device "$device" >/dev/null 2>stderr || fail "characters resumed: $(cat stderr)"
[ -n "$(weights c)" ] && [ "$(weights c)" = "$(weights whole)" ] || fail "characters resumed otherwise"
refuses '--characters is for texts' "$tenon" train --data digits:50 --characters

# Several settings.
"$tenon" sweep --data book.txt --context 24,12 --net "$net" --epochs 1 --device "$device" >said 2>stderr || fail "sweep: $(cat stderr)"
[ "$(grep -cE '^ *(24|12) ' said)" = 2 ] || fail "sweep: $(cat said)"
finish
