# Outputs never take the place of what the same command reads, whatever the path is called; and names that can be written
# are, up to the longest. $5 makes images.
. "$(dirname "$0")/common.sh"
make_images=$5

# refused FILE OPTION...: the training says so in one line before it begins, and the file is as it was
refused() {
    file=$1
    shift
    cp "$file" before
    "$tenon" train --net "linear outputs" --epochs 1 --batch 2 --device "$device" "$@" >/dev/null 2>stderr
    [ $? = 2 ] || fail "'$*': not status 2"
    [ "$(wc -l <stderr)" = 1 ] && grep -q "it is one of the files of" stderr || fail "'$*': $(cat stderr)"
    cmp "$file" before || fail "'$*': $file was overwritten"
}

# A folder of images, given by any spelling; by links from anywhere, and links in it.
"$make_images" set 8 12 cat dog || fail "no images"
"$make_images" other 8 12 cat dog || fail "no images"
for option in save best weights diverged curve trace; do refused set/cat/000003.png --data set --$option set/cat/000003.png; done
refused set/cat/000003.png --data ./set/ --save set/../set/cat/./000003.png
refused set/cat/000003.png --data "$PWD/set" --save set/cat/000003.png
refused set/cat/000003.png --data other --test set --save set/cat/000003.png
ln -s set/cat/000003.png link.svg
refused set/cat/000003.png --data set --curve link.svg
ln set/cat/000003.png hard.png
refused set/cat/000003.png --data set --curve hard.png
ln -s "$PWD/hard.png" other/dog/more.png
refused hard.png --data other --save hard.png
ln -s "$PWD/set" linked
refused set/cat/000003.png --data linked --save set/cat/000003.png
rm hard.png

# The folder of MNIST's files: 20 pictures of a pixel.
mkdir mnist
for part in train t10k; do
    printf '\000\000\010\003\000\000\000\024\000\000\000\001\000\000\000\001aAbBcCdDeEfFgGhHiIjJ' >mnist/$part-images-idx3-ubyte
    printf '\000\000\010\001\000\000\000\024aAbBcCdDeEfFgGhHiIjJ' | tr 'a-jA-J' '\000\001\002\003\004\005\006\007\010\011' >mnist/$part-labels.idx1-ubyte
done
for file in train-images-idx3-ubyte t10k-labels.idx1-ubyte; do refused mnist/$file --data mnist --save mnist/$file; done
for part in train t10k; do gzip mnist/$part-images-idx3-ubyte; done
refused mnist/train-images-idx3-ubyte.gz --data mnist --save mnist/train-images-idx3-ubyte.gz

# What lies there and is no data may be replaced, as may what is not there yet.
for i in 1 2; do
    "$tenon" train --data set --net "linear outputs" --epochs 1 --batch 2 --device "$device" --save set/model.safetensors \
        --curve set/cat/curve.svg >/dev/null 2>stderr || fail "beside the data: $(cat stderr)"
done

# Names as long as the file system takes are written, and longer ones refused before the first epoch.
long=$(printf 'x%.0s' $(seq 255))
train --epochs 1 --save "out/$long" >/dev/null 2>stderr || fail "a long name: $(cat stderr)"
"$tenon" eval --model "out/$long" --device "$device" >/dev/null 2>stderr || fail "a long name: $(cat stderr)"
[ "$(ls -A out)" = "$long" ] || fail "a long name left $(ls -A out)"
train --epochs 1000000 --save "out/${long}x" >/dev/null 2>stderr
[ $? = 1 ] && grep -q "File name too long" stderr || fail "a name that is too long: $(cat stderr)"
finish
