/* matrix.c: a product in f32 by tiles of bf16 (matrix_tile.c): block after block of the depth, each operand packed once
 * for many tiles; when its units pay, and for which numbers. */
#include "matrix.h"

#include "cpu.h"

#include <string.h>

#if defined(CPU_AMX)
#include <cpuid.h>

#include "../system.h"

enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };

int cpu_matrix_open(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & AMX_BF16 && d & AMX_TILE && system_allows_tiles();
}
#else
int cpu_matrix_open(void)
{
    return 0;
}
#endif

const cpu_matrix *cpu_matrix_at(uint32_t level)
{
    return cpu_code->matrix && cpu_code->matrix[level].parts ? cpu_code->matrix + level : NULL;
}

/* Rows of a, and columns of b, that are packed at once: both packed blocks stay in a core's second cache. */
enum { ROWS = 192, COLUMNS = 512 };

/* How deep a block is: a panel of b stays in the first cache. */
static int64_t depth_of(const cpu_matrix *g)
{
    return g->parts == 3 ? 128 : 256;
}

static int64_t panel_bytes(const cpu_matrix *g, int64_t count, int64_t depth)
{
    return round_up(count, g->wide) * round_up(depth, g->deep) * g->bytes;
}

/* A packed block of b: its largest exponent, then its panels. */
enum { HEAD = 64 };

static int64_t block_bytes(const cpu_matrix *g, int64_t columns, int64_t depth)
{
    return HEAD + panel_bytes(g, columns, depth);
}

/* Threads that share rows of c take lines of the cache from each other: where they meet, unless rows are whole lines,
 * and beyond, as each core's prefetcher reads on in the row. Where each block of the depth would add to them, sums are
 * made aside, if there are no more bytes of them than this. 128 x 512 x 784 on two cores: 258 us, aside 208. */
enum { LINE = 16 /* numbers */, ASIDE = 1 << 18 };

static int64_t aside_bytes(int64_t m, int64_t n)
{
    return m * round_up(min_of(n, COLUMNS), LINE) * (int64_t)sizeof(float);
}

static int is_aside(const cpu_matrix *g, const cpu_product *p)
{
    return p->k > depth_of(g) && p->n < p->ldc && aside_bytes(p->m, p->n) <= ASIDE;
}

int64_t cpu_matrix_bytes(const cpu_matrix *g, int64_t m, int64_t n, int64_t k)
{
    const int64_t depth = min_of(k, depth_of(g)), aside = k > depth ? min_of(ASIDE, aside_bytes(m, n)) : 0;
    return aside + panel_bytes(g, min_of(m, ROWS), depth) + block_bytes(g, min_of(n, COLUMNS), depth);
}

int64_t cpu_matrix_kept_bytes(const cpu_matrix *g, int64_t n, int64_t k)
{
    int64_t bytes = 0;
    for (int64_t j = 0; j < n; j += COLUMNS)
        for (int64_t l = 0; l < k; l += depth_of(g))
            bytes += block_bytes(g, min_of(COLUMNS, n - j), min_of(depth_of(g), k - l));
    return bytes;
}

/* A packed element of a takes part in n multiply-adds, one of b in m: so packing costs as 1 / m + 1 / n. On one core of
 * a Sapphire Rapids, busy, GFLOP/s to oneDNN's 2.6: 128 x 128 x 128 204 to 177, 128 x 512 x 784 219 to 185, 784 x 100 x
 * 128 176 to 141, 1024 x 1024 x 1024 188 to 156, but 64 x 512 x 784 151 to 163. In two parts 340, 269, 233, 301 and
 * 219, in one 532, 452, 425, 474 and 360; 128 x 10 x 512 75 and 106 to 70. */
int cpu_matrix_pays(const cpu_matrix *g, int64_t m, int64_t n, int64_t k, double grain)
{
    if (m * n * k == 0) return 0;
    return (double)m * (double)n / (double)(m + n) >= g->least * grain && (double)k >= 48 * grain;
}

int cpu_matrix_fits(int32_t a, int32_t b, int64_t depth)
{
    return a <= 253 && b <= 253 && a + b <= 2 * 127 + (depth <= 256 ? 117 : 93);
}

static void multiply(const cpu_matrix *g, const char *a, const char *b, int64_t rows, int64_t columns, int64_t depth,
                     float *c, int64_t ldc, int add)
{
    for (int64_t j = 0; j < columns; j += g->wide)
        for (int64_t i = 0; i < rows; i += g->wide)
            g->tile(depth, a + panel_bytes(g, i, depth), b + panel_bytes(g, j, depth), c + i * ldc + j, ldc,
                    min_of(g->wide, rows - i), min_of(g->wide, columns - j), add);
}

/* Block (l, j) of b, where it is kept already or to be. */
static char *pack_block(const cpu_matrix *g, const cpu_product *p, int64_t l, int64_t depth, int64_t j, int64_t columns,
                        char *work, cpu_kept *kept)
{
    const int64_t b_column = p->tb ? p->ldb : 1, b_deep = p->tb ? 1 : p->ldb;
    char *block = kept->at ? kept->at : work;
    if (kept->at) kept->at += block_bytes(g, columns, depth);
    if (!kept->is_full)
        *(int32_t *)(void *)block =
            g->pack_b(columns, depth, p->b + j * b_column + l * b_deep, b_column, b_deep, block + HEAD);
    return block;
}

static void end(const cpu_beside *o, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    if (o->ended) o->ended(o->arg, m0, m1, n0, n1);
}

/* Columns j..j + columns into c. All of b is packed, whatever the numbers: others may want it. */
static int strip(const cpu_matrix *g, const cpu_product *p, int64_t j, int64_t columns, float *c, int64_t ldc,
                 char *work, cpu_kept *kept, const cpu_beside *beside)
{
    const int64_t a_row = p->ta ? 1 : p->lda, a_deep = p->ta ? p->lda : 1;
    int fit = 1;
    for (int64_t l = 0; l < p->k; l += depth_of(g)) {
        const int64_t depth = min_of(depth_of(g), p->k - l);
        char *packed_a = work + block_bytes(g, columns, depth);
        const char *block = pack_block(g, p, l, depth, j, columns, work, kept);
        const int32_t top = *(const int32_t *)(const void *)block;
        for (int64_t i = 0; i < p->m && fit; i += ROWS) {
            const int64_t rows = min_of(ROWS, p->m - i);
            const float *from = p->a + i * a_row + l * a_deep;
            const int32_t other = g->pack_a(rows, depth, from, a_row, a_deep, packed_a);
            if (beside->sums && !j) g->add_rows(rows, depth, from, a_deep, beside->sums + i);
            fit = cpu_matrix_fits(top, other, depth);
            if (fit) multiply(g, packed_a, block + HEAD, rows, columns, depth, c + i * ldc, ldc, l > 0);
            if (fit && l + depth == p->k) end(beside, i, i + rows, j, j + columns);
        }
    }
    return fit;
}

static int strip_aside(const cpu_matrix *g, const cpu_product *p, int64_t j, int64_t columns, char *work,
                       cpu_kept *kept, const cpu_beside *beside)
{
    const int64_t wide = round_up(columns, LINE);
    const cpu_beside aside = {NULL, NULL, beside->sums};
    float *sums = (float *)(void *)work;
    if (!strip(g, p, j, columns, sums, wide, work + aside_bytes(p->m, columns), kept, &aside)) return 0;
    for (int64_t i = 0; i < p->m; i++) memcpy(p->c + i * p->ldc + j, sums + i * wide, (uint64_t)columns * sizeof *sums);
    end(beside, 0, p->m, j, j + columns);
    return 1;
}

int cpu_matrix_product(const cpu_matrix *g, const cpu_product *p, char *work, cpu_kept kept, const cpu_beside *beside)
{
    const int aside = is_aside(g, p);
    int fit = 1;
    g->begin();
    for (int64_t j = 0; j < p->n; j += COLUMNS) {
        const int64_t columns = min_of(COLUMNS, p->n - j);
        fit &= aside ? strip_aside(g, p, j, columns, work, &kept, beside)
                     : strip(g, p, j, columns, p->c + j, p->ldc, work, &kept, beside);
    }
    g->end();
    return fit;
}
