/* tile.h: the shape of a register tile for the instruction set that is compiled for: MR rows by NV vectors of BYTES. */
#ifndef CPU_TILE_H
#define CPU_TILE_H

#if defined(__AVX512F__)
#define BYTES 64
#define MR    12
#define NV    2
#elif defined(__AVX2__)
#define BYTES 32
#define MR    6
#define NV    2
#elif defined(__ARM_NEON)
#define BYTES 16
#define MR    8
#define NV    3
#else
#define BYTES 16
#define MR    4
#define NV    2
#endif
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#endif
