#!/usr/bin/env python3
"""What a device's OpenCL compiler takes of inline PTX: small kernels that are compiled and whose results are compared
with sums made here. What is not NVIDIA's takes none of it, and that is an answer, too.

A compiler that does not take one may end the process: each is best tried in one of its own.

usage: probes.py [NUMBER] [--only NAME] [--json] [--list] [--sources FOLDER]"""
import argparse
import json
import os
import random
import struct
import sys

import opencl

ADD = """
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global const uint *a, __global const uint *b,
                                                                    __global uint *y)
{
    const uint i = get_global_id(0);
    uint sum;
    __asm__("add.u32 %0, %1, %2;" : "=r"(sum) : "r"(a[i]), "r"(b[i]));
    y[i] = sum;
}
"""
SHUFFLE = """
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global const uint *a, __global const uint *b,
                                                                    __global uint *y)
{
    const uint i = get_global_id(0);
    uint other;
    __asm__ volatile("shfl.sync.bfly.b32 %0, %1, 5, 0x1f, 0xffffffff;" : "=r"(other) : "r"(a[i]));
    y[i] = other + b[i];
}
"""
# a: 16 rows of 16 numbers of 16 bits, b: 16 columns of 16; y: 16 x 16. A work-item has rows lane / 4 and 8 beyond.
BEGIN = """
#define MMA(c, a, b0, b1)                                                                                              \\
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.KIND.KIND.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "          \\
                 "{%0,%1,%2,%3};"                                                                                      \\
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                                      \\
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global const uint *a_all,
                                                                    __global const uint *b_all, __global float *y)
{
    const int lane = get_local_id(0), g = lane / 4, t = lane % 4;
    uint a[4], b[4];
    float c[4] = {0, 0, 0, 0}, d[4] = {0, 0, 0, 0};
    __local uint as[128] __attribute__((aligned(128))), bs[128] __attribute__((aligned(128)));
"""
END = """
    MMA(c, a, b[0], b[1]);
    MMA(d, a, b[2], b[3]);
    for (int e = 0; e < 4; e++) {
        const int row = g + e / 2 * 8, column = 2 * t + e % 2;
        y[row * 16 + column] = c[e];
        y[row * 16 + 8 + column] = d[e];
    }
}
"""
DIRECTLY = """
    for (int e = 0; e < 4; e++) a[e] = a_all[(g + e % 2 * 8) * 8 + t + e / 2 * 4];
    for (int e = 0; e < 4; e++) b[e] = b_all[(g + e / 2 * 8) * 8 + t + e % 2 * 4];
"""
TO_LOCAL = """
    for (int e = lane; e < 128; e += 32) as[e] = a_all[e], bs[e] = b_all[e];
    barrier(CLK_LOCAL_MEM_FENCE);
"""
ASYNC = """
    for (int e = lane; e < 32; e += 32) {
        __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((uint)(size_t)(as + 4 * e)), "l"(a_all + 4 * e));
        __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((uint)(size_t)(bs + 4 * e)), "l"(b_all + 4 * e));
    }
    __asm__ volatile("cp.async.commit_group;");
    __asm__ volatile("cp.async.wait_group 0;" ::: "memory");
    barrier(CLK_LOCAL_MEM_FENCE);
"""
MATRICES = """
    const uint a_at = WHERE(as + (lane % 16) * 8 + lane / 16 * 4);
    const uint b_at = WHERE(bs + (lane % 8 + lane / 16 * 8) * 8 + lane / 8 % 2 * 4);
    __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3]) : "r"(a_at) : "memory");
    __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(b[0]), "=r"(b[1]), "=r"(b[2]), "=r"(b[3]) : "r"(b_at) : "memory");
"""
PLACE = "#define WHERE(p) ((uint)(size_t)(p))\n"
GENERIC = """
static inline uint place(__local const uint *p)
{
    ulong at;
    __asm__("cvta.to.shared.u64 %0, %1;" : "=l"(at) : "l"((size_t)p));
    return (uint)at;
}
#define WHERE(p) place(p)
"""
# y: 64 x 8 of a: 64 rows of 16, in registers, and b: 8 columns of 16, as two blocks of 8 x 8 in local memory.
WGMMA = """
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void probe(__global const uint *a_all,
                                                                     __global const uint *b_all, __global float *y)
{
    const int lane = get_local_id(0) % 32, warp = get_local_id(0) / 32, g = lane / 4, t = lane % 4;
    __local uint bs[64] __attribute__((aligned(128)));
    uint a[4];
    float c[4] = {0, 0, 0, 0};
    for (int e = 0; e < 4; e++) a[e] = a_all[(warp * 16 + g + e % 2 * 8) * 8 + t + e / 2 * 4];
    if (warp < 2) bs[get_local_id(0)] = b_all[lane / 4 * 8 + warp * 4 + t];
    barrier(CLK_LOCAL_MEM_FENCE);
    const ulong where = (ulong)(((uint)(size_t)bs & 0x3ffff) >> 4) | 8ul << 16 | 16ul << 32;
    __asm__ volatile("{\\n"
                 ".reg .pred p;\\n"
                 "setp.ne.b32 p, 0, 0;\\n"
                 "fence.proxy.async;\\n"
                 "wgmma.fence.sync.aligned;\\n"
                 "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0,%1,%2,%3}, {%4,%5,%6,%7}, %8, p, 1, 1, 0;\\n"
                 "wgmma.commit_group.sync.aligned;\\n"
                 "wgmma.wait_group.sync.aligned 0;\\n"
                 "}\\n"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(where) : "memory");
    for (int e = 0; e < 4; e++) y[(warp * 16 + g + e / 2 * 8) * 8 + 2 * t + e % 2] = c[e];
}
"""


def product(kind, between, begin=""):
    return begin + (BEGIN + between + END).replace("KIND", kind)


PROBES = {  # source; what it computes: (rows, columns, type of the factors), or None of whole numbers
    "inline asm": (ADD, None),
    "shfl.sync": (SHUFFLE, None),
    "mma.sync f16": (product("f16", DIRECTLY), (16, 16, "f16")),
    "mma.sync bf16": (product("bf16", DIRECTLY), (16, 16, "bf16")),
    "ldmatrix": (product("bf16", TO_LOCAL + MATRICES, PLACE), (16, 16, "bf16")),
    "ldmatrix through cvta": (product("bf16", TO_LOCAL + MATRICES, GENERIC), (16, 16, "bf16")),
    "cp.async": (product("bf16", ASYNC + MATRICES, PLACE), (16, 16, "bf16")),
    "wgmma": (WGMMA, (64, 8, "bf16")),
}


def whole_numbers(device, program, name):
    a, b = ([random.randrange(1 << 20) for _ in range(32)] for _ in range(2))
    said = struct.unpack("32I", device.run(program, "probe", [struct.pack("32I", *a), struct.pack("32I", *b)], 32, 32, 32))
    mixed = a if name == "inline asm" else [a[i ^ 5] for i in range(32)]
    return said == tuple(x + y for x, y in zip(mixed, b))


def products(device, program, rows, columns, kind):
    """Of small whole numbers, so that every sum is exact."""
    a, b = ([float(random.randrange(-8, 9)) for _ in range(n * 16)] for n in (rows, columns))
    factors = [opencl.halves(a, kind), opencl.halves(b, kind)]
    said = struct.unpack(f"{rows * columns}f", device.run(program, "probe", factors, rows * columns, 2 * rows, 2 * rows))
    return all(said[i * columns + j] == sum(a[i * 16 + k] * b[j * 16 + k] for k in range(16))
               for i in range(rows) for j in range(columns))


def probe(device, name):
    """"right", "wrong", or why it could not be tried."""
    source, what = PROBES[name]
    why = ""
    for word in ("__asm__", "asm"):  # as compilers by the letter, and others, call it
        try:
            program = device.build(source.replace("__asm__", word))
            fine = products(device, program, *what) if what else whole_numbers(device, program, name)
        except opencl.Error as error:
            why = why or str(error)
            continue
        return ("right" if fine else "wrong") + (" as asm" if word == "asm" else "")
    return why


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("number", nargs="?", type=int, default=0, help="of the OpenCL device")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--only", choices=PROBES)
    arguments.add_argument("--list", action="store_true", help="their names, as JSON")
    arguments.add_argument("--sources", metavar="FOLDER", help="writes the kernels there, and tries none")
    o = arguments.parse_args()
    if o.list:
        print(json.dumps(list(PROBES)))
        return 0
    if o.sources:
        for name, (source, _) in PROBES.items():
            with open(os.path.join(o.sources, name.replace(" ", "_") + ".cl"), "w", encoding="utf-8") as file:
                file.write(source)
        return 0
    try:
        device = opencl.Device(o.number)
    except opencl.Error as error:
        print(error, file=sys.stderr)
        return 1
    said = {name: probe(device, name) for name in PROBES if o.only in (None, name)}
    about = {"device": device.text(opencl.NAME), "vendor": device.text(opencl.VENDOR), "driver": device.text(opencl.VERSION),
             "units": device.number(opencl.UNITS), "extensions": device.text(opencl.EXTENSIONS).split()}
    print(json.dumps({**about, "probes": said}) if o.json else
          "\n".join([about["device"], *(f"{name}: {answer}" for name, answer in said.items())]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
