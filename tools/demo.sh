#!/bin/sh
# Installs what is missing, builds, and trains the default network on the digits that the program draws itself, on the
# default device. Leaves the model and its loss curve in build/demo.
# usage: sh tools/demo.sh [OPTION OF tenon train...]
set -eu
cd "$(dirname "$0")/.."

sh tools/setup.sh build
sh tools/build.sh release
tenon=build/release/bin/tenon
out=build/demo
mkdir -p "$out"

printf "\n%s\n" "$tenon train${*:+ $*}" >&2
"$tenon" train --save "$out/model.safetensors" --curve "$out/loss.svg" --json "$@" >"$out/training.json"

# The last object of the output is the summary; $1 is one of its keys.
reached()
{
    tail -n 1 "$out/training.json" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

cat <<END

It learned to read the digits: $(reached test_accuracy | awk '{ printf "%.2f %%", 100 * $1 }') of those it had never seen are right.
  device       $(reached device), $(reached samples_per_s | awk '{ printf "%.0f", $1 }') samples a second
  model        $out/model.safetensors
  loss curve   $out/loss.svg (opens in any browser)

Three things to try next:
  $tenon predict --model $out/model.safetensors PICTURE.png
      asks it about a digit that you drew
  $tenon train --net "linear 100, sigmoid, linear 40, sigmoid, linear 10" --device opencl:0 --explain
      trains another network through OpenCL, and shows the kernels that it was compiled to
  $tenon devices
      lists what else can compute here; '$tenon doctor' says what is missing for more
END
