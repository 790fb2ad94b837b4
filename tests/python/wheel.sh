#!/bin/sh
# Makes the wheel, installs it in a fresh virtual environment, and trains there without anything of this tree in sight.
# usage: wheel.sh TREE FOLDER
set -eu
tree=$1 folder=$2
rm -rf "$folder" && mkdir -p "$folder"
python3 -m venv "$folder/venv" 2>"$folder/venv.log" || { echo "skipped: python3 makes no virtual environments here"; exit 77; }
TENON_NO_SETUP=1 sh "$tree/tools/wheel.sh" "$folder/dist"
size=$(stat -c %s "$folder"/dist/*.whl)
[ "$size" -lt 5000000 ] || { echo "the wheel has $size bytes, over 5 MB"; exit 1; }
"$folder/venv/bin/python" -m pip install -q --no-index --disable-pip-version-check "$folder"/dist/*.whl
cd "$folder"
env -i PATH=/usr/bin:/bin TENON_CACHE=off venv/bin/python - <<'END'
import base64, hashlib, pathlib, tenon
place = pathlib.Path(tenon.__file__).parent
assert tenon.lib.path == str(place / "lib" / "libtenon.so.0"), tenon.lib.path
assert {b.id for b in tenon.backends() if not b.problem} >= {"cpu", "reference"}, tenon.backends()
record = next(place.parent.glob("tenon-*.dist-info")) / "RECORD"
for line in record.read_text().splitlines():
    name, digest, size = line.split(",")
    if digest and (place.parent / name).suffix != ".pyc":
        data = (place.parent / name).read_bytes()
        mine = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == ("sha256=" + mine, len(data)), name
train, test = tenon.open_dataset("digits:2000")
model = tenon.Model("mlp", device="cpu")
model.fit(train, epochs=3, validation=test, verbose=False)
assert model.evaluate(test).accuracy > 0.8
END
for so in venv/lib/python3*/site-packages/tenon/lib/*.so.*; do
    readelf -d "$so" | grep -q 'build/' && { echo "$so names this tree"; exit 1; }
done
echo "the wheel, $size bytes, trains"
