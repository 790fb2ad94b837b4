# How the command looks: lines fit the terminal, help, what is quiet, which epochs have a line, colours on terminals alone.
. "$(dirname "$0")/common.sh"

fits() { awk -v most="$2" 'length($0) > most { exit 1 }' "$1" || fail "$3: wider than $2: $(awk -v most="$2" 'length($0) > most' "$1" | head -n 3)"; }

# Everything fits.
for columns in 60 80 120; do
    COLUMNS=$columns
    export COLUMNS
    for command in train sweep eval predict convert info devices ops bench check doctor; do
        "$tenon" help $command >said 2>stderr || fail "help $command: $(cat stderr)"
        [ ! -s stderr ] && head -n 1 said | grep -q "^usage: tenon $command " || fail "help $command: $(head -n 1 said stderr)"
        fits said $columns "help $command"
        "$tenon" $command --help | cmp -s - said || fail "$command --help says otherwise"
    done
    "$tenon" help >said || fail "help"
    fits said $columns help
    "$tenon" devices >said 2>/dev/null || fail "devices"
    fits said $columns devices
done
for columns in 80 120; do
    COLUMNS=$columns
    "$tenon" ops >said 2>/dev/null || fail "ops"
    fits said $columns ops
    train --validation 0.2 --epochs 2 >said 2>stderr || fail "train: $(cat stderr)"
    fits said $columns "train's results"
    fits stderr $columns "train's progress"
done
grep -q 'validation accuracy .* test accuracy ' stderr || fail "120 columns: $(cat stderr)"
COLUMNS=60
OCL_ICD_VENDORS=/nonexistent "$tenon" doctor >said 2>stderr || fail "doctor: $(cat stderr)"
fits said 60 doctor

# Failures and warnings too, which are one line where there is no terminal; what stands between quotes stays together.
printf 'name of it,when it was,y\n' >long.csv
for i in 1 2 3 4 5 6 7 8 9; do echo "somebody $i,2020-01-0$i,$i.5" >>long.csv; done
"$tenon" train --data long.csv 2>stderr && fail "dates are taken"
fits stderr 60 "a failure"
[ "$(wc -l <stderr)" -gt 3 ] && [ "$(tail -n +2 stderr | grep -vc '^  [^ ]')" = 0 ] || fail "a failure: $(cat stderr)"
grep -q "'name of it,when it was'" stderr || fail "what is between quotes is broken: $(cat stderr)"
tr -s ' \n' ' ' <stderr >flat
unset COLUMNS
"$tenon" train --data long.csv 2>stderr && fail "dates are taken"
[ "$(wc -l <stderr)" = 1 ] && tr -s ' \n' ' ' <stderr | cmp - flat || fail "a failure of one line: $(cat stderr)"

# Names of classes: columns lie under each other for wide characters too, and get what room there is.
{ echo 'size,bird'; for i in 1 2 3 4 5 6 7 8 9; do printf '%s\n' "$i,北京雨燕" "1$i,house sparrow" "2$i,Сойка" "3$i,dodo"; done; } >birds.csv
COLUMNS=80 "$tenon" train --data birds.csv --net "linear outputs" --epochs 1 --device "$device" >said 2>stderr || fail "birds: $(cat stderr)"
grep -q '^                 *dodo  *house sparrow  *Сойка  *北京雨燕$' said || fail "names in full: $(cat said)"
python3 - said <<'E' || fail "names are not under each other: $(cat said)"
import sys, unicodedata
def width(text): return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
lines = open(sys.argv[1], encoding="utf-8").read().split("confusion:")[1].split("\n")[1:6]
assert len({width(line) for line in lines}) == 1, lines
E
[ "$("$tenon" -V)" = "$("$tenon" --version)" ] || fail "-V: $("$tenon" -V)"
"$tenon" help nothing 2>stderr && fail "help nothing"
grep -q "there is no command 'nothing'" stderr || fail "help nothing: $(cat stderr)"

# What is quiet says results, warnings and failures.
train --epochs 2 --quiet >said 2>stderr || fail "--quiet"
[ ! -s stderr ] && grep -q '^test: ' said || fail "--quiet: $(cat stderr said)"
train --epochs 1 --quiet --lr 1e30 >said 2>stderr && fail "--quiet: diverged without a word"
grep -q 'diverged' stderr || fail "--quiet: $(cat stderr)"

# Every so many epochs, the first and the last; JSON has all.
train --epochs 7 --every 3 --json >said 2>stderr || fail "--every"
[ "$(grep '^epoch' stderr | awk '{ printf "%s ", $2 }')" = "1/7 3/7 6/7 7/7 " ] || fail "--every: $(cat stderr)"
[ "$(grep -c '"epoch"' said)" = 7 ] || fail "--every: $(cat said)"
# Of many fast ones some 20 at most, unless each is asked for.
printf 'a,b\n1,2\n2,4\n3,6\n4,8\n' >few.csv
for words in "" "--every 1"; do
    # shellcheck disable=SC2086 # words
    "$tenon" train --data few.csv --net "linear 1" --epochs 45 --device "$device" $words 2>stderr >/dev/null || fail "epochs: $(cat stderr)"
    grep '^epoch' stderr | awk '{ printf "%d ", $2 }' >>epochs
    echo >>epochs
done
[ "$(head -n 1 epochs)" = "1 5 10 15 20 25 30 35 40 45 " ] || fail "lines of 45 epochs: $(cat epochs)"
[ "$(tail -n 1 epochs | wc -w)" = 45 ] || fail "--every 1: $(cat epochs)"

# How to keep it next time, unless it is kept.
train --epochs 1 2>stderr >/dev/null || fail "train"
grep -q 'nothing was saved: --save' stderr || fail "not said: $(cat stderr)"
train --epochs 1 --save m 2>stderr >/dev/null || fail "train --save"
grep -q 'nothing was saved' stderr && fail "said of what was saved: $(cat stderr)"

# Colours are for terminals, and for who wants them.
escape=$(printf '\033')
"$tenon" train --nothing 2>stderr && fail "an option that is none"
grep -q "$escape" stderr && fail "colours in a file: $(cat stderr)"
if script -qec true /dev/null >said 2>&1 </dev/null; then # not where there are no terminals
    TERM=xterm script -qec "'$tenon' train --nothing" /dev/null >said </dev/null
    grep -q "$escape\[31mtenon: " said || fail "no colour on a terminal: $(cat -v said)"
    TERM=xterm NO_COLOR=1 script -qec "'$tenon' train --nothing" /dev/null >said </dev/null
    grep -q "$escape" said && fail "NO_COLOR: $(cat -v said)"
    TERM=dumb script -qec "'$tenon' train --nothing" /dev/null >said </dev/null
    grep -q "$escape" said && fail "TERM=dumb: $(cat -v said)"
fi

# A log has a line for what it begins with, one for each epoch with all measures, and one for the end; one that goes on
# is appended to.
train --epochs 3 --log run.jsonl --save m --schedule "step 12 0.5" 2>stderr >/dev/null || fail "--log: $(cat stderr)"
"$json_lines" <run.jsonl >/dev/null || fail "--log: no JSON: $(cat run.jsonl)"
[ "$(wc -l <run.jsonl)" = 5 ] || fail "--log: $(cat run.jsonl)"
head -n 1 run.jsonl | grep -q '"tenon": ".*"device": ".*"parameters": 12730, "settings": {.*"schedule": "step 12 0.5", "batch": 20' || fail "--log begins: $(head -n 1 run.jsonl)"
[ "$(grep -c '"epoch": [1-3],.*"rate": [0-9.e-]*, "seconds": .*"balanced_accuracy": .*"confusion": ' run.jsonl)" = 3 ] || fail "--log: $(cat run.jsonl)"
[ "$(grep -o '"rate": [^,]*' run.jsonl | tr '\n' ' ')" = '"rate": 0.001 "rate": 0.0005 "rate": 0.00025 ' ] || fail "rates: $(grep -o '"rate": [^,]*' run.jsonl)"
tail -n 1 run.jsonl | grep -q '"done": true' || fail "--log ends: $(tail -n 1 run.jsonl)"
train_more() { "$tenon" train --resume m --epochs 4 --device "$device" "$@"; }
train_more --log run.jsonl 2>stderr >/dev/null || fail "--log: $(cat stderr)"
[ "$(wc -l <run.jsonl)" = 8 ] && grep -q '"epoch": 4' run.jsonl || fail "--log that goes on: $(cat run.jsonl)"
train --epochs 1 --lr 1e30 --log run.jsonl 2>stderr >/dev/null && fail "--log: did not diverge"
"$json_lines" <run.jsonl >/dev/null || fail "--log: no JSON: $(cat run.jsonl)"
head -n 1 run.jsonl | grep -q '"tenon"' && tail -n 1 run.jsonl | grep -q '"done": false, "reason": ".*diverged' || fail "the log of one that diverged: $(cat run.jsonl)"
train --log none/run.jsonl 2>stderr && fail "a log in no folder"
grep -q -- "--log: the folder 'none/'" stderr || fail "a log in no folder: $(cat stderr)"

train --curve c.png 2>stderr && fail "a curve as .png"
[ "$(wc -l <stderr)" = 1 ] && [ ! -e c.png ] && grep -qF -- "--curve 'c.png': the curve is drawn as .svg" stderr || fail "a curve as .png: $(cat stderr)"

# A curve names its loss and its last epoch, and no two texts on a line overlap.
for epochs in 1 2 13 60; do
    train --data digits:40 --epochs $epochs --validation 0.3 --curve curve.svg 2>stderr >/dev/null || fail "--curve: $(cat stderr)"
    grep -q '>Loss: cross_entropy<' curve.svg || fail "a curve without the name of its loss"
    grep -q "class=\"x\">$epochs</text>" curve.svg || fail "a curve without its last epoch, $epochs"
    sed 's/<text/\n<text/g' curve.svg | awk -F'"' '/^<text/ {
        text = $0; sub(/<text[^>]*>/, "", text); sub(/<.*/, "", text)
        wide = 6.5 * length(text); x = $2
        if ($0 ~ /class="x"/) x -= wide / 2
        if ($0 ~ /class="y"/) x -= wide
        for (i = 0; i < n; i++) if (line[i] == $4 && x < end[i] && x + wide > begin[i]) print name[i], "and", text
        line[n] = $4; begin[n] = x; end[n] = x + wide; name[n++] = text }' >overlaps
    [ ! -s overlaps ] || fail "texts of the curve of $epochs epochs overlap: $(cat overlaps)"
done

finish
