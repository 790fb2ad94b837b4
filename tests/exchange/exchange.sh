#!/bin/sh
# Files from one machine to another: usage: exchange.sh PROGRAM FOLDER [OTHER]
# PROGRAM and OTHER are command lines of exchange, of this machine and another one (without it: this one). Each reads
# what either wrote, and both write the same bytes, but for arrays of NumPy, which say in which order theirs are.
set -eu
here=$1 folder=$2 there=${3:-$1}
rm -rf "$folder"
mkdir -p "$folder/here" "$folder/there"
$here write "$folder/here"
$there write "$folder/there"
$here read "$folder/there"
$there read "$folder/here"
for file in "$folder"/here/*; do
    case $file in *.npy) continue ;; esac
    cmp "$file" "$folder/there/$(basename "$file")"
done
