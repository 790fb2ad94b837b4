#!/bin/sh
# What is not POSIX is asked for in one place of the library and one of the backends (docs/portability.md): headers and
# places that only some systems have are named nowhere else. Functions are the compiler's affair (_XOPEN_SOURCE).
# usage: posix.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
# Those of ELF are for what a shared library is; that of OpenMP's vectors is the compiler's.
headers='linux/|sys/(auxv|epoll|eventfd|file|inotify|ioctl|prctl|random|sendfile|syscall|sysinfo)\.h|malloc\.h|link\.h|elf\.h|execinfo\.h|features\.h'
find_in()
{
    grep -rnE --include='*.c' --include='*.h' "#include <($headers)|\"/(proc|sys)/|_GNU_SOURCE" "$@" |
        grep -vE '^(src/core/system\.c|backends/system\.c):|^src/(plugin/elf|check/symbols)\.c:.*<(link|elf)\.h>'
}
if find_in src backends comm; then
    echo 'the lines above are for src/core/system.c or backends/system.c'
    exit 1
fi
# a list that finds nothing there is none
[ "$(grep -cE "#include <($headers)|\"/(proc|sys)/|_GNU_SOURCE" src/core/system.c)" -gt 10 ] || { echo 'system.c has nothing of it'; exit 1; }
for at in src backends comm; do
    grep -q '^add_compile_definitions(_XOPEN_SOURCE=700)' $at/CMakeLists.txt || { echo "$at sees more than POSIX"; exit 1; }
done
