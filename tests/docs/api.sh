#!/bin/sh
# The pages of the interface are made without a warning, and leave no function without a text. Skipped without Doxygen.
# usage: api.sh SOURCE WORK_FOLDER
set -eu
command -v doxygen >/dev/null || exit 77
mkdir -p "$2"
cd "$1"
(cat docs/api/Doxyfile && echo "OUTPUT_DIRECTORY = $2") | doxygen -
python3 tests/docs/api.py "$2/xml"
