# Folders of images: trained on from the device, from memory and from their files to the same bits; then measured, and
# read one by one as they were trained on. $5 makes images.
. "$(dirname "$0")/common.sh"
make_images=$5

net="conv 4 3, relu, dropout 0.1, globalavgpool, linear outputs"
learn() { "$tenon" train --net "$net" --lr 0.05 --batch 12 --epochs 3 --device "$device" "$@"; }

"$make_images" set 30 12 cat dog emu || fail "no images"
for place in device host stream; do
    learn --data set --resident $place --loaders 3 --validation 0.1 --json --save out/$place --weights out/w_$place 2>stderr | figures >$place
    [ -s $place ] || fail "$place: $(cat stderr)"
    cmp device $place || fail "$place changes the losses"
    cmp out/w_device out/w_$place || fail "$place changes the weights"
done

"$tenon" eval --model out/stream --resident stream --device "$device" >streamed || fail "eval: $(cat streamed)"
"$tenon" eval --model out/stream --resident host --device "$device" | cmp - streamed || fail "eval says otherwise: $(cat streamed)"
"$tenon" eval --model out/stream --data set --device "$device" >all 2>/dev/null || fail "eval --data: $(cat all)"
grep -q 'over 90 test samples' all || fail "eval --data: $(cat all)"
# Those that it is wrong about are named by their files, and shown on the page of a report.
"$tenon" train --net "$net" --data set --lr 1e-9 --batch 12 --epochs 1 --device "$device" --report out/page.html >wrong 2>stderr || fail "--report: $(cat stderr)"
grep -q '^  set/[cde][a-z]*/0000[0-9]*.png  [cde][a-z]*, taken for [cde]' wrong || fail "no files are named: $(cat wrong)"
[ "$(grep -c 'data:image/png;base64,iVBORw0KGgo' out/page.html)" -ge 12 ] || fail "no pictures on the page"
grep -q '<figcaption>set/[cde][a-z]*/0000[0-9]*.png<' out/page.html || fail "no names on the page"
for class in cat dog emu; do
    "$tenon" predict --model out/stream --device "$device" set/$class/000002.png >line || fail "predict $class"
    grep -q "000002.png: $class (" line || fail "predict $class: $(cat line)"
done

# Other images where those were, as when two classes change places, are not silent.
"$make_images" moved 30 12 cat dog emu && "$make_images" one 1 14 cat && cp one/cat/000000.png moved/cat/000003.png
learn --data moved --save out/moved >/dev/null 2>stderr || fail "$(cat stderr)"
"$tenon" train --resume out/moved --epochs 4 --device "$device" 2>stderr || fail "$(cat stderr)"
grep -q 'is not as' stderr && fail "nothing has changed: $(cat stderr)"
mv moved/cat moved/bee && mv moved/dog moved/cat && mv moved/bee moved/dog
"$tenon" train --resume out/moved --epochs 4 --device "$device" 2>stderr || fail "$(cat stderr)"
grep -q 'moved is not as out/moved was trained on' stderr || fail "classes that changed places: $(cat stderr)"

# Sizes: an option, or the first one's; a model keeps its own.
learn --data set --image 1x7x5 --save out/small >/dev/null 2>stderr || fail "--image: $(cat stderr)"
"$tenon" predict --model out/small --json --device "$device" set/cat/000000.png >line || fail "predict small"
grep -q 'sample":"1x7x5"' out/small || fail "--image is not kept"
"$tenon" eval --model out/small --data set --device "$device" >line 2>&1 || fail "eval small: $(cat line)"
for size in 7 0x5 2x7x5 1x2x3x4 big; do
    learn --data set --image $size >/dev/null 2>message && fail "--image $size is taken"
    grep -q -e "--image '$size' is not a height and a width" message || fail "--image $size: $(cat message)"
done

learn --data set --header no >/dev/null 2>message && fail "--header is taken"
grep -q -e "--header is for tables, and there is none here" message || fail "--header: $(cat message)"

# Images of kinds that are not read are not left out in silence.
cp -r set others && printf x >others/cat/a.webp && printf x >others/dog/b.BMP && printf x >others/dog/notes.txt
learn --data others >/dev/null 2>message || fail "other kinds: $(cat message)"
grep -q 'warning: others: 2 images are left out, such as others/cat/a.webp: only PNG and JPEG are read' message ||
    fail "other kinds: $(cat message)"

# That sizes differ is said, unless one was asked for.
learn --data set >/dev/null 2>message && grep -q '^set: images of other sizes become 12 x 12, as the first is; --image HxW says another$' message ||
    fail "sizes: $(cat message)"
learn --data set --image 8x8 >/dev/null 2>message || fail "--image: $(cat message)"
grep -q 'other sizes' message && fail "sizes that were asked for: $(cat message)"

# Parts in folders of their own.
mkdir parts
cp -r set parts/train
"$make_images" parts/test 7 12 cat dog emu
learn --data parts --resident stream 2>&1 | grep -q '90 samples, 21 for testing' || fail "parts"
"$make_images" parts/test 7 12 yak
learn --data parts >/dev/null 2>message && fail "a class that is not trained on is taken"
grep -q 'test/yak: is none of the classes of parts/train' message || fail "a strange class: $(cat message)"
"$make_images" strange 7 12 yak dog
"$tenon" eval --model out/stream --data strange --device "$device" >/dev/null 2>message && fail "a strange class is measured"
grep -q "has the class 'yak'" message || fail "a strange class to eval: $(cat message)"

# One that is broken is named, in one line, and nothing is saved.
for place in device stream; do
    printf 'no image' >set/dog/000003.png
    learn --data set --resident $place --save out/broken >/dev/null 2>message && fail "a broken image is taken"
    grep -c 'tenon: set/dog/000003.png: is no image; expected an image: PNG or JPEG' message | grep -qx 1 ||
        fail "a broken image: $(cat message)"
    [ -e out/broken ] && fail "saved with a broken image"
done
mkdir empty none none/class
learn --data empty >/dev/null 2>message && fail "an empty folder is taken"
grep -q 'empty: has no folders of images' message || fail "an empty folder: $(cat message)"
learn --data none >/dev/null 2>message && fail "a class without images is taken"
grep -q 'none/class: has no images' message || fail "a class without images: $(cat message)"

finish
