#!/bin/sh
# Makes the pages of the C interface from the headers' comments, in build/docs. Installs what is missing for it.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh doc
mkdir -p build/docs
(cat docs/api/Doxyfile && echo "OUTPUT_DIRECTORY = build/docs") | doxygen -
echo "docs: open build/docs/html/index.html"
