# Bad input: each gives one clear line on standard error that names the culprit, exit status 1 or 2, and leaves nothing.
. "$(dirname "$0")/common.sh"

# bad STATUS WORD ARGUMENT...
bad() {
    want=$1 word=$2
    shift 2
    "$tenon" "$@" >stdout 2>stderr
    got=$?
    [ "$got" = "$want" ] || fail "'$*': exit status $got, not $want"
    [ "$(wc -l <stderr)" = 1 ] || fail "'$*': not one line: $(cat stderr)"
    grep -q '^tenon: ' stderr || fail "'$*': does not begin with 'tenon: ': $(cat stderr)"
    grep -qF -e "$word" stderr || fail "'$*': '$word' is not named: $(cat stderr)"
    [ -s stdout ] && fail "'$*': wrote to standard output: $(cat stdout)"
    [ -z "$(ls -A out)" ] || fail "'$*': left $(ls -A out)"
    rm -rf out && mkdir out
}

# bad_train STATUS WORD OPTION...: on few samples, saving to where nothing may be left
bad_train() {
    want=$1 word=$2
    shift 2
    given --data "$@" || set -- --data digits:100 "$@"
    given --device "$@" || set -- --device "$device" "$@"
    given --save "$@" || set -- --save out/m.safetensors "$@"
    given --curve "$@" || set -- --curve out/c.svg "$@"
    given --epochs "$@" || set -- --epochs 1 "$@"
    bad "$want" "$word" train "$@"
}

# Commands and options.
bad 2 "'train'" trian
bad 2 "--epochs" train --epoch 3
bad 2 "--save is given twice" train --save out/a.safetensors --save out/b.safetensors
bad 2 "--epochs is given twice" train --epochs=3 --epochs 3
bad 2 "--json is given twice" train --json=step --json
bad 2 "--device is given twice" predict --device cpu --device reference x.csv
bad 2 "--quux" train --quux
bad 2 "-x" train -x
bad 2 "needs a value" train --lr
bad 2 "takes no value" train --stats=yes
bad 2 "--json=step" train --json=steps
bad 2 "'digits'" train digits
bad_train 2 "stored as f32, f16 or bf16" --storage f64
bad_train 2 "in f32, f32-fast or bf16, not in 'tf32'" --precision tf32
bad_train 2 "'last' is not tuned, usual, channels-last or try" --layout last
for value in nan inf -inf 0 -1 ten 1e999 "" 0.1x; do bad_train 2 "--lr '$value'" --lr "$value"; done
for value in 0 -5 2.5 ten nan 99999999999999999999 ""; do bad_train 2 "--batch '$value'" --batch "$value"; done
bad_train 2 "--epochs '0'" --epochs 0
bad_train 2 "--limit '0'" --limit 0
bad_train 2 "--seed '-1'" --seed -1
bad_train 2 "--momentum '1'" --optimizer momentum --momentum 1
bad_train 2 "--momentum" --optimizer sgd --momentum 0.5
bad_train 2 "'adam'" --optimizer adamm
bad_train 2 "'cross_entropy'" --loss crossentropy
bad_train 2 "'xavier'" --init xaviar
bad_train 2 "'0' is not a number above 0" --init "normal 0"
bad_train 2 "'x' is not a number above 0" --init "normal x"
bad_train 2 "initialisation 'normal'" --init "normal -1"
bad_train 2 "layer 1, 'mlp': is a whole network" --net "mlp, mlp"
bad_train 2 "cosine STEPS" --schedule cosine
bad_train 2 "--target is for tables, and there is none here" --target price
bad_train 2 "--header is for tables" --header yes
bad_train 2 "--ignore is for tables" --ignore 1
bad_train 2 "--image is for folders of images" --image 8x8
bad_train 2 "--by-position is for the columns of --test" --by-position
bad_train 2 "--by-position is for tables" --test digits:50 --by-position
bad_train 2 "100 training samples" --batch 101
bad_train 2 "50 training samples" --limit 50 --batch 64

# Networks.
bad_train 2 "'linear 0'" --net "linear 0"
bad_train 2 "'-3'" --net "linear -3"
bad_train 2 "linear UNITS" --net "linear"
bad_train 2 "no layers" --net ""
bad_train 2 "layer 2" --net "linear 20, sigmoyd, linear 10"
bad_train 2 "'sigmoid'" --net "linear 20, sigmoyd, linear 10"
bad_train 2 "empty" --net "linear 20,, linear 10"
bad_train 2 "7 outputs" --net "linear 20, relu, linear 7"
bad_train 2 "10 classes" --net "linear 20, relu, linear 7"
bad_train 2 "12 outputs" --net "linear 12"
printf 'a,b,kind\n1,2,0\n4,5,1\n' >kinds.csv
bad_train 2 "no parameters" --data kinds.csv --batch 1 --net relu
bad_train 1 "quux" --device quux

# Files and folders.
bad_train 1 "nowhere" --data nowhere
bad_train 1 "nowhere/" --save nowhere/m.safetensors
bad_train 1 "nowhere/" --curve nowhere/c.svg
bad_train 1 "/dev/full" --save /dev/full
bad_train 1 "'out'" --save out
bad_train 1 "nothing.safetensors" --resume nothing.safetensors
bad 2 "--model" eval
bad 1 "nothing.safetensors" eval --model nothing.safetensors
bad 2 "FILE..." predict --model nothing.safetensors

# Tables.
printf 'a,b,y\n1,2,3\n4,5\n' >short.csv
printf 'a,b,y\n1,2,3\n4,five,6\n' >text.csv
printf 'a,b,y\n1,2,3\n' >one.csv
bad_train 1 "short.csv:3" --data short.csv --loss mse --batch 1 --net "linear 1"
bad_train 1 "five" --data text.csv --loss mse --batch 1 --net "linear 1"
bad_train 1 "'price'" --data one.csv --target price --loss mse --batch 1
bad_train 2 "1 target" --data one.csv --loss mse --batch 1 --net "linear 2"
: >empty.csv
bad_train 1 "empty.csv" --data empty.csv --loss mse --batch 1
: >empty.npz
bad_train 1 "empty.npz: is empty" --data empty.npz
printf 'PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >none.npz
bad_train 1 "none.npz: is an archive without arrays" --data none.npz

awk 'BEGIN { print "a,kind"; for (i = 0; i < 30; i++) print i ",same" }' >alike.csv
bad_train 2 "alike.csv: all of column 'kind' is the class 'same'" --data alike.csv
gzip -c short.csv >short.csv.gz
bad_train 1 "short.csv.gz:3" --data short.csv.gz --loss mse --batch 1 --net "linear 1"
bad_train 2 "--shards and --accumulate are the same" --shards 4 --accumulate 5
bad_train 1 "a batch of one sample, as the last of an epoch may be" --batch 99 --net "linear 3, batch_norm, linear outputs" --data digits:125 --limit 100

# A network that no machine holds.
bad_train 1 "the largest buffer" --net "linear 1000000, linear 1000000, linear 10"

# Folders with IDX files: missing, of the wrong kind, cut short.
mkdir idx
bad_train 1 "idx" --data idx
printf 'rubbish rubbish rubbish' >idx/train-images-idx3-ubyte
for f in train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do cp idx/train-images-idx3-ubyte idx/$f-ubyte; done
bad_train 1 "train-images-idx3-ubyte" --data idx
printf '\000\000\010\003\000\000\000\002\000\000\000\034\000\000\000\034abc' >idx/train-images-idx3-ubyte
bad_train 1 "train-images-idx3-ubyte" --data idx
gzip -c idx/train-labels-idx1-ubyte | head -c 20 >idx/train-images-idx3-ubyte
bad_train 1 "train-images-idx3-ubyte" --data idx

# Models: truncated, random, of other shapes, not ours.
train --epochs 1 --save good.safetensors 2>stderr || fail "training: $(cat stderr)"
head -c 5000 good.safetensors >cut.safetensors
head -c 5000 /dev/urandom >random.safetensors
: >empty.safetensors
for file in cut random empty; do
    bad 1 "$file.safetensors" eval --device "$device" --model $file.safetensors
    bad 1 "$file.safetensors" train --device "$device" --resume $file.safetensors
    bad 1 "$file.safetensors" predict --device "$device" --model $file.safetensors short.csv
done
bad 2 "--net" train --device "$device" --resume good.safetensors --net "linear 10"
bad 2 "--seed" train --device "$device" --resume good.safetensors --seed 2
bad 2 "--optimizer" train --device "$device" --resume good.safetensors --optimizer sgd
bad 1 "1 of 1 epochs" train --device "$device" --resume good.safetensors
bad 1 "good.safetensors was trained on 240 samples, and digits:250 has 250" train --device "$device" --resume good.safetensors --data digits:250 --epochs 2
bad 1 "nothing.png" predict --device "$device" --model good.safetensors nothing.png
bad 1 "one.csv" predict --device "$device" --model good.safetensors one.csv
printf 'P5\n3 3\n255\nabc' >cut.pgm
bad 1 "cut.pgm" predict --device "$device" --model good.safetensors cut.pgm

# Models whose notes have numbers that cannot be: each a file like the good one but for one note.
train --epochs 2 --save half.safetensors 2>/dev/null
cat >rewrite.py <<'PY'
import json, struct, sys
source, target, key, value = sys.argv[1:]
data = open(source, "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
head["__metadata__"][key] = value
text = json.dumps(head).encode()
open(target, "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
PY
for value in 9223372036854775807 9223372036854775808 -1 1e3 2.5 "240 "; do
    for key in count epoch position; do
        python3 rewrite.py half.safetensors odd.safetensors $key "$value"
        bad 1 "odd.safetensors" train --device "$device" --resume odd.safetensors --epochs 3
    done
    for key in classes targets sample; do
        python3 rewrite.py good.safetensors odd.safetensors $key "$value"
        bad 1 "odd.safetensors" eval --device "$device" --model odd.safetensors
    done
done
for value in -1 0 nan inf ""; do
    python3 rewrite.py good.safetensors odd.safetensors x_scale "$value"
    bad 1 "odd.safetensors" predict --device "$device" --model odd.safetensors one.csv
done
for value in 268435456x268435456x268435456 4294967296x4294967296x2 1x0x1 x 28x 1x28x28x1x1x1x1x1x1; do
    python3 rewrite.py good.safetensors odd.safetensors sample $value
    bad 1 "odd.safetensors" eval --device "$device" --model odd.safetensors
done
python3 rewrite.py half.safetensors at.safetensors position 3
for value in "0.5 7 1" "0.5 -1 1" "0.5 0.5 inf" "0.5 0.5 -1" "0.5 1e300 1" "0.5" ""; do
    python3 rewrite.py at.safetensors odd.safetensors begun "$value"
    bad 1 "odd.safetensors" train --device "$device" --resume odd.safetensors --epochs 3
done
for value in -1 1e3 18446744073709551616 1.5; do
    python3 rewrite.py good.safetensors odd.safetensors tenon.step $value
    bad 1 "odd.safetensors" eval --device "$device" --model odd.safetensors
done
python3 rewrite.py good.safetensors odd.safetensors header maybe
bad 1 "odd.safetensors: its note header, 'maybe', is not yes, no or auto" eval --device "$device" --model odd.safetensors

# A network that diverges is told, and does not overwrite what was saved.
bad_diverge=$(train --epochs 3 --optimizer sgd --lr 1e30 --save out/m.safetensors 2>&1)
[ $? = 1 ] || fail "diverging: not status 1"
echo "$bad_diverge" | grep -q "diverged" || fail "diverging: $bad_diverge"
[ -z "$(ls -A out)" ] || fail "diverging left $(ls -A out)"

# What was saved before stays to the byte: when the loss goes wild in the middle of an epoch, and there with Ctrl-C; and
# when the only step of an epoch had a good loss and left weights that are not finite. --diverged keeps those.
train --epochs 1 --save out/m.safetensors >/dev/null 2>&1
cp out/m.safetensors before.safetensors
wild() {
    what=$1
    shift
    "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --optimizer sgd --device "$device" "$@" \
        --save out/m.safetensors --best out/best.safetensors >/dev/null 2>stderr
    [ $? = 1 ] || fail "$what: not status 1"
    grep -q diverged stderr || fail "$what: $(cat stderr)"
    cmp out/m.safetensors before.safetensors || fail "$what: the good file was overwritten"
    [ "$(ls -A out)" = m.safetensors ] || fail "$what left $(ls -A out)"
}
wild "an epoch" --batch 1 --lr 1e30
wild "one step" --batch 240 --epochs 1 --lr 1e300
wild "finite weights, test loss not" --batch 240 --epochs 1 --lr 1e38
mkfifo pipe
env --default-signal=INT "$tenon" train --data digits:240 --net "linear 16, relu, linear 10" --batch 1 --device "$device" \
    --optimizer sgd --lr 1e30 --json=step --save out/m.safetensors >pipe 2>stderr &
pid=$!
exec 3<pipe
for i in 1 2 3 4; do read -r line <&3; done
kill -INT $pid
cat <&3 >/dev/null
exec 3<&-
wait $pid
[ $? = 1 ] || fail "Ctrl-C in a training that diverged: not status 1"
cmp out/m.safetensors before.safetensors || fail "Ctrl-C: the good file was overwritten"
for batch in 1 240; do
    rm -f d.safetensors
    wild "kept, batch $batch" --batch $batch --epochs 1 --lr 1e300 --diverged d.safetensors
    "$tenon" eval --model d.safetensors --device "$device" >/dev/null 2>&1 || fail "--diverged: the file cannot be read"
done

# Neither goes on with such weights, nor begins with them.
for how in --load --resume; do
    "$tenon" train $how d.safetensors --data digits:240 --net "linear 16, relu, linear 10" --epochs 9 --device "$device" 2>stderr
    [ $? = 1 ] && grep -q "^tenon: d.safetensors: tensor 'fc[12].[a-z]*' has numbers that are not finite" stderr || fail "$how: $(cat stderr)"
    grep -q "the training has diverged" stderr && fail "$how: $(cat stderr)"
done
rm -rf out && mkdir out
bad 2 "--diverged" train --save a.safetensors --diverged a.safetensors

# A file that grows beyond the limit of sizes is an error as a full disk is, and leaves nothing.
(ulimit -f 100 && train --net "linear 300, linear 10" --epochs 1 --save out/m.safetensors >/dev/null 2>stderr)
[ $? = 1 ] || fail "limit of sizes: not status 1"
grep -q "cannot be written: File too large" stderr || fail "limit of sizes: $(cat stderr)"
[ -z "$(ls -A out)" ] || fail "limit of sizes: left $(ls -A out)"

# Nor is there an empty log where the disk is full from the first byte on.
(trap '' XFSZ; ulimit -f 0; train --epochs 1 --log out/log.jsonl 2>&1) | cat >said
grep -q "^tenon: out/log.jsonl: cannot be written: File too large" said || fail "a log on a full disk: $(cat said)"
[ -z "$(ls -A out)" ] || fail "a log on a full disk: left $(ls -A out)"

# A file that can't be replaced is found before the first epoch; whoever is root can replace any.
if [ "$(id -u)" != 0 ]; then
    : >out/m.safetensors && chmod 400 out/m.safetensors
    train --epochs 1000000 --save out/m.safetensors >/dev/null 2>stderr
    [ $? = 1 ] || fail "a file that can't be replaced: not status 1"
    grep -q "'out/m.safetensors': Permission denied" stderr || fail "a file that can't be replaced: $(cat stderr)"
    rm -rf out && mkdir out
fi

# Standard output that is full.
train --epochs 1 --json >/dev/full 2>stderr
[ $? = 1 ] || fail "full standard output: not status 1"
grep -q "standard output" stderr || fail "full standard output: $(cat stderr)"

# A disk that is full before the trace's end: all else is done.
(trap '' XFSZ; ulimit -f 4; train --epochs 1 --batch 1 --trace trace.json >stdout 2>stderr)
[ $? = 1 ] || fail "a trace that is cut: not status 1"
grep -q "^tenon: trace.json: the trace could not be written as a whole" stderr || fail "a trace that is cut: $(cat stderr)"
grep -q "^test:" stdout || fail "a trace that is cut: $(cat stdout)"
finish
