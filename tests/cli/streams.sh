# Samples that stay in their files, and are read as they are needed: same losses, same weights, to the bit.
. "$(dirname "$0")/common.sh"

# Files whose samples stay there. 250 pictures of 5 x 4, whose label is where they are bright.
idx() { LC_ALL=C awk "BEGIN { srand($1); for (i = 0; i < $2; i++) { $3 } }"; }
mkdir -p mnist
for part in train:200 t10k:50; do
    count=${part#*:}
    name=mnist/${part%:*}
    octal=$(printf '\\%o' "$count")
    # shellcheck disable=SC2059 # bytes
    {
        printf "\\0\\0\\10\\3\\0\\0\\0$octal\\0\\0\\0\\5\\0\\0\\0\\4"
        idx 1 "$count" 'for (k = 0; k < 20; k++) printf "%c", 1 + int(rand() * 60) + 60 * (k % 4 == i % 4)'
    } >"$name-images-idx3-ubyte"
    # shellcheck disable=SC2059
    { printf "\\0\\0\\10\\1\\0\\0\\0$octal"; idx 1 "$count" 'printf "%c", i % 4'; } >"$name-labels-idx1-ubyte"
done
same stream --data mnist --net "flatten, linear 8, relu, dropout 0.2, linear outputs"
same stream --data mnist --net "flatten, linear 8, relu, linear outputs" --batch 33 --limit 150 --validation 0.2 --loaders 3
"$tenon" eval --model out/saved --resident stream --device "$device" >streamed || fail "eval: $(cat streamed)"
"$tenon" eval --model out/saved --device "$device" | cmp - streamed || fail "eval says $(cat streamed)"
for place in host stream; do
    "$tenon" predict --model out/saved --resident $place --device "$device" --out out/$place.npy mnist/t10k-images-idx3-ubyte \
        mnist/train-images-idx3-ubyte >predicted_$place || fail "predict --resident $place"
done
cmp predicted_host predicted_stream || fail "predict says otherwise"
cmp out/host.npy out/stream.npy || fail "predict --out says otherwise"
train --data mnist --net "flatten, linear outputs" --resident stream --epochs 1 --stats 2>&1 | grep -q 'are read as they are needed' ||
    fail "the stream is not said"

# A table, with what its columns are scaled by, and values missing.
awk 'BEGIN { srand(3); print "a,b,\"c d\",kind"; for (i = 0; i < 300; i++) {
    k = i % 3; print k + rand() "," (rand() < 0.1 ? "NA" : k * 10 - rand()) "," i "," (k ? k > 1 ? "red" : "\"green\"" : "blue") } }' >table.csv
same stream --data table.csv --net "linear 8, relu, linear outputs"
cut -d, -f1-3 table.csv >numbers.csv
same stream --data numbers.csv --target a --net "linear 8, relu, linear outputs" --validation 0.1 --scale minmax --loaders 4
same stream --data table.csv --net "linear outputs" --test table.csv --class-weights balanced
"$tenon" eval --model out/saved --resident stream --device "$device" >streamed || fail "eval: $(cat streamed)"
"$tenon" eval --model out/saved --device "$device" 2>/dev/null | cmp - streamed || fail "eval says $(cat streamed)"

# Numbers to predict from, scaled as they are read: the model's own three outputs.
"$tenon" predict --model out/saved --device "$device" --out numbers.npy table.csv >/dev/null || fail "predict a table"
for place in host stream; do
    "$tenon" predict --model out/saved --resident $place --device "$device" --json numbers.npy numbers.npy >predicted_$place ||
        fail "predict numbers --resident $place"
done
cmp predicted_host predicted_stream || fail "predict says otherwise of numbers"
[ "$(wc -l <predicted_stream)" = 600 ] || fail "predict of numbers: $(wc -l <predicted_stream) lines"

# A file that is written to in place, and stays as long, while it is read.
mkfifo lines
train --data numbers.csv --target a --net "linear outputs" --scale none --resident stream --epochs 1000000 --json --save out/changed \
    >lines 2>message &
pid=$!
exec 3<lines
read -r line <&3
read -r line <&3 # the first epoch's file is there by then
printf '0' | dd of=numbers.csv bs=1 seek=30 conv=notrunc 2>/dev/null
cat <&3 >/dev/null
exec 3<&-
wait $pid && fail "a file that was written to is taken"
grep -q 'numbers.csv was written to while the training read it' message || fail "written to: $(cat message)"
"$tenon" eval --model out/changed --data numbers.csv --device "$device" >/dev/null 2>&1 || fail "the file saved before is gone"

# One that is renamed while it is read is still open: another that takes its name changes nothing.
cp table.csv moved.csv
train --data moved.csv --net "linear outputs" --resident stream --epochs 10 --batch 1 --json=step >lines 2>message &
pid=$!
exec 3<lines
read -r line <&3 # what it writes is more than the pipe takes: it is not done
mv moved.csv away.csv
cp numbers.csv moved.csv
cat <&3 | grep -q '"done": true' || fail "renamed: it is not done"
exec 3<&-
wait $pid || fail "a file that was renamed: $(cat message)"

# A file that becomes shorter while it is read ends the training with a line, and nothing is saved.
truncate -s 1000 mnist/t10k-images-idx3-ubyte
train --data mnist --net "flatten, linear outputs" --resident stream --save out/short >/dev/null 2>message &&
    fail "a short file is taken"
grep -q 't10k-images.* is cut short' message || fail "a short file: $(cat message)"
for data in digits digits-rgb:20; do
    train --data $data --resident stream >/dev/null 2>message && fail "$data is streamed"
    grep -q "$data: what is drawn is in memory" message || fail "$data: $(cat message)"
done

finish
