#!/bin/sh
# Installs what is missing of the Debian packages that the project needs, as root or through sudo, and says which.
# Does nothing, in a few milliseconds, when all are there. On other systems it looks for the programs and files
# themselves and says what is missing.
# usage: sh tools/setup.sh [build] [test] [mpi] [sanitize] [bench] [browser] [shell] [wheel] [deb] [cross] [gpu] [doc]    (without a word: build test)
set -eu

# group, package ("this|that" where its name has a version in it, the newest last: the first that this system has or can
# get), a file or command that shows it on systems without dpkg, and what it is for
table='
build  gcc              gcc                the C compiler (clang works too)
build  libc6-dev        stdlib.h           the C library
build  cmake            cmake              the build
build  ninja-build      ninja              the build
build  zlib1g-dev       zlib.h             reads gzip files
build  libzip-dev       zip.h              reads archives of NumPy arrays
build  libpng-dev       png.h              reads pictures
build  libjpeg62-turbo-dev jpeglib.h         reads images in JPEG
build  libmicrohttpd-dev microhttpd.h      shows trainings in a browser (without it all else is built)
build  libcjson-dev     cjson/cJSON.h      reads and writes the heads of model files
build  protobuf-c-compiler protoc-c         makes what reads ONNX files ...
build  libprotobuf-c-dev protobuf-c/protobuf-c.h ... runs it ...
build  libonnx-dev      onnx/onnx.proto    ... and describes the format
build  libdnnl-dev      oneapi/dnnl/dnnl.h matrix products of the cpu backend
build  ocl-icd-opencl-dev CL/opencl.h      the OpenCL headers and loader, for the OpenCL backend
build  libclblast-dev   clblast_c.h        matrix products of the OpenCL backend on GPUs
build  pocl-opencl-icd  -                  an OpenCL driver for the processor, so that there is an OpenCL device
test   libcmocka-dev    cmocka.h           the tests
test   g++              g++                checks that a backend can be written in C++
test   pkg-config       pkg-config         builds a program against the installed library
test   binutils         nm                 checks which symbols a backend exports
test   python3          python3            checks JSON and SVG output, and the lists of the documentation
test   locales          -                  makes a language with a decimal comma
test   libonnx-testdata -                  the tests of ONNX that ours are run on
test   clang            clang              gives the readers of files to libFuzzer ...
test   libclang-rt-dev  -                  ... which is this
test   mandoc           mandoc             checks the manuals of the command
mpi    libopenmpi-dev   mpicc.openmpi      the communicator for Open MPI ...
mpi    openmpi-bin      mpirun.openmpi     ... and what starts its processes
mpi    libmpich-dev     mpicc.mpich        the communicator for MPICH ...
mpi    mpich            mpirun.mpich       ... and what starts its processes
sanitize oclgrind       oclgrind           runs OpenCL kernels and checks their memory accesses and races
bench  libopenblas-dev  cblas.h            a matrix product to compare with
bench  python3          python3            runs the comparisons
bench  python3-venv     -                  holds the newest PyTorch, JAX and ONNX Runtime, to compare networks with
bench  python3-pil      -                  draws digits to predict from
bench  fonts-dejavu     -                  fonts to draw them with
browser chromium        chromium           looks at the pages of reports
shell  zsh              zsh                tries the completions for it
shell  fish             fish               tries those for it
wheel  python3          python3            writes the package for Python
wheel  git              git                lists what the source distribution holds
wheel  python3-venv     -                  holds the package where it is tried
deb    build-essential  make               what packages builds take for granted
deb    dpkg-dev         dpkg-buildpackage  makes packages for Debian ...
deb    debhelper        dh                 ... with these rules ...
deb    dh-python        dh_python3         ... also for Python ...
deb    python3          python3            ... which compiles what it installs ...
deb    git              git                ... from what this lists ...
deb    lintian          lintian            ... and looks at them
gpu    clang-15|clang-19 clang             compiles kernels for GPUs that are not at hand ...
gpu    libclc-15|libclc-19 /usr/lib/clc/amdgcn--amdhsa.bc ... with what OpenCL gives them ...
gpu    llvm-spirv-15|llvm-spirv-19 llvm-spirv ... for Intel by SPIR-V ...
gpu    spirv-tools      spirv-val          ... which this checks
cross  gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc compiles for ARM of 64 bits ...
cross  libc6-dev-arm64-cross - ... with its C library
cross  gcc-s390x-linux-gnu s390x-linux-gnu-gcc compiles for a processor of the other order of bytes ...
cross  libc6-dev-s390x-cross - ... with its C library
cross  gcc-arm-linux-gnueabihf arm-linux-gnueabihf-gcc compiles for ARM ...
cross  libc6-dev-armhf-cross - ... with its C library
cross  gcc-i686-linux-gnu i686-linux-gnu-gcc and for x86 of 32 bits ...
cross  libc6-dev-i386-cross - ... with its C library
cross  qemu-user        qemu-aarch64       runs what was compiled for them
doc    doxygen          doxygen            the pages of the C interface
'

say()
{
    printf 'setup: %s\n' "$*" >&2
}

# Whether a package is there, or could be.
is_known()
{
    dpkg-query -W "$1" >/dev/null 2>&1 || apt-cache show "$1" >/dev/null 2>&1
}

# $1: names with | between them. Prints the first that is known, and where none is so after an update of the lists, too,
# the first.
pick()
{
    for attempt in lists updated; do
        for name in $(printf '%s\n' "$1" | tr '|' ' '); do
            ! is_known "$name" || { echo "$name"; return; }
        done
        [ "$attempt" = updated ] || as_root apt-get -q update >/dev/null 2>&1 </dev/null || break
    done
    echo "${1%%|*}"
}

# Lines of the table with one package each.
picked()
{
    while read -r group package rest; do
        case $package in *'|'*) package=$(pick "$package") ;; esac
        echo "$group $package $rest"
    done
}

# Lines of the table for the groups that were asked for, one line per package.
wanted()
{
    printf '%s\n' "$table" | awk -v groups=" $* " 'NF && index(groups, " " $1 " ") && !seen[$2]++'
}

# Reads lines of the table, prints those whose package is not installed.
missing_packages()
{
    # shellcheck disable=SC2016 # the dollar signs are dpkg's
    installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' |
        awk '$2 == "installed" { sub(/:.*/, "", $1); print $1 }')
    awk -v installed="$installed" 'BEGIN { n = split(installed, p, "\n"); while (n) have[p[n--]] } !($2 in have)'
}

# The same on a system without dpkg: by a command, or by a header that the compiler finds.
missing_files()
{
    while read -r group package sign why; do
        case $sign in
        -) continue ;;
        *.h) printf '#include <%s>\n' "$sign" | ${CC:-cc} -E -x c - >/dev/null 2>&1 && continue ;;
        *.so) ! ${CC:-cc} -print-file-name="$sign" 2>/dev/null | grep -q / || continue ;;
        *) command -v "$sign" >/dev/null 2>&1 && continue ;;
        esac
        printf '%s %s %s %s\n' "$group" "$package" "$sign" "$why"
    done
}

# Runs a command as root.
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install "$@" </dev/null
}

# $1: lines of the table. Lists on machines never updated may be missing, and old ones may name versions that the
# mirror has no longer: then they are fetched and the installation is tried again.
install_lines()
{
    packages=$(printf '%s\n' "$1" | awk '{ print $2 }')
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # shellcheck disable=SC2086 # one word per package
    set -- $packages
    if ! install_packages "$@" >"$log" 2>&1; then
        say 'the package lists are missing or old: apt-get update'
        as_root apt-get -q update >"$log" 2>&1 || { tail -n 5 "$log" >&2; say 'apt-get update failed'; exit 1; }
        install_packages "$@" >"$log" 2>&1 || { tail -n 5 "$log" >&2; say "could not install: $*"; exit 1; }
    fi
    say 'installed'
}

main()
{
    [ $# -gt 0 ] || set -- build test
    for group; do
        printf '%s\n' "$table" | grep -q "^$group " || { say "there is no group '$group'"; exit 2; }
    done
    lines=$(wanted "$@")
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        lines=$(printf '%s\n' "$lines" | missing_files)
        [ -n "$lines" ] || return 0
        say 'this is no Debian-like system, so please install these yourself (Debian names):'
        printf '%s\n' "$lines" | awk '{ p = $2; $1 = $2 = $3 = ""; printf "  %-20s %s\n", p, $0 }' >&2
        exit 1
    fi
    lines=$(printf '%s\n' "$lines" | picked | missing_packages)
    [ -n "$lines" ] || return 0
    say 'these Debian packages are missing:'
    printf '%s\n' "$lines" | awk '{ p = $2; $1 = $2 = $3 = ""; printf "  %-20s %s\n", p, $0 }' >&2
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "neither root nor sudo: as root, run: apt-get install --no-install-recommends $(
            printf '%s\n' "$lines" | awk '{ printf "%s%s", sep, $2; sep = " " }')"
        exit 1
    fi
    say 'installing them'
    install_lines "$lines"
}

# $1: a package of PyPI, and its module. Distributions have old ones, which are slower.
newest()
{
    python=$(dirname "$0")/../build/python
    [ ! -x "$python/bin/python" ] || ! "$python/bin/python" -c "import $1" 2>/dev/null || return 0
    say "installing $1 in build/python"
    python3 -m venv "$python" && "$python/bin/pip" install -q "$1" || { say "$1 could not be installed"; exit 1; }
}

peers()
{
    for name in torch numpy jax onnx onnxruntime; do newest $name; done
}

main "$@"
case " $* " in *' bench '*) peers ;; esac
