/* abi_ops.c: checks the operators of any backend against plain double-precision loops of its own, through the ABI
 * alone. Of the library it takes no more than the element-wise operators' error budgets.
 *
 * abi_ops BACKEND.so [DEVICE [KEY=VALUE ...]]: the pairs are options that the backend may ask its host for. A failure
 * prints the operator, shapes, seed, element, expected and got; the last line is 'N passed, N failed'. An operator
 * that the backend refuses is counted apart: refusing is no failure. Exit status 1 if anything failed. The pair
 * `only=pictures` leaves out all but one family of checks; they are listed above `main`.
 *
 * Every operand lies between guard bands, which must be as they were after the run, and so must the inputs. */
#include "abi_kit.h"
#include "abi_rows.h"
#include "abi_dense.h"
#include "abi_pictures.h"
#include "budget.h"

/* ---- map: every row, every type ---------------------------------------------------------------------------------- */

static const double special[] = {
    0.0,   -0.0,    1.0,    -1.0,   0.5,   -0.5,     2,         -2,     3,        -3,       1e-3,     -1e-3,
    1e-7,  -1e-7,   1e-20,  -1e-20, 1e-39, -1e-39,   1e-45,     88,     -88,      89,       -89,      100,
    -100,  104,     -104,   700,    -700,  1e4,      -1e4,      3e5,    -3e5,     1e10,     -1e10,    1e30,
    -1e30, 3e38,    -3e38,  9,      -9,    0.9999,   1.0001,    1.5708, 3.141593, -0.99999, 16777216, 1.1754e-38,
    4,     -0.3466, 0.3466, 0.8,    -1.2,  INFINITY, -INFINITY, NAN};
#define N_SPECIAL ((int64_t)(sizeof special / sizeof *special))

/* An argument: every pair of special values comes up, then random numbers of several sizes. */
static double row_value(int64_t i, int slot, int n_arg)
{
    if (i < N_SPECIAL * N_SPECIAL && n_arg > 1) return special[slot == 0 ? i % N_SPECIAL : i / N_SPECIAL];
    if (i < N_SPECIAL) return special[i];
    static const double size[] = {1, 10, 0.01, 100, 1e-6};
    return (2 * uniform01() - 1) * size[i % 5];
}

/* What the row's budget allows around `want`: units of the last place, and what it means when an argument was off. */
static double row_allowed(const row *r, const double *v, double want, int32_t dtype)
{
    tn_budget budget = tn_budget_of(r->name, dtype);
    double unit = tn_unit_of(dtype), allowed = budget.ulp * unit * fabs(want), moved[4], size = 1;
    for (int a = 0; a < r->n_arg; a++) {
        for (int side = -1; budget.input != 0 && side < 2; side += 2) {
            memcpy(moved, v, sizeof moved);
            moved[a] *= 1 + side * budget.input * unit;
            double effect = fabs(r->d(moved) - want);
            if (isfinite(effect)) allowed += effect;
        }
        size = fmax(size, isfinite(v[a]) ? fabs(v[a]) : 0);
    }
    return allowed + budget.absolute * unit * size;
}

/* Expected values: the text in double. Where its evaluation in the type itself over- or underflows, that also holds. */
static void row_expect(const row *r, const operand *in, operand *out, int64_t i)
{
    double v[4] = {0};
    for (int a = 0; a < r->n_arg; a++) v[a] = get(&in[a], i);
    double want = r->d(v);
    if (out->desc.dtype == TN_I32) {
        out->want[i] = (double)(int32_t)(uint32_t)(uint64_t)r->i(v);
        return;
    }
    out->want[i] = out->desc.dtype == TN_F32 ? (double)(float)want : want;
    if (out->desc.dtype == TN_F32) {
        float f[4] = {(float)v[0], (float)v[1], (float)v[2], (float)v[3]};
        double other = (double)r->f(f);
        out->either[i] = !(fabs(other) < 1e37) || fabs(other) < 1e-30 || !(fabs(want) < 1e37) ||
                         (!strcmp(r->name, "pow.da") && v[0] < 0); /* b - 1 in float may be even where b - 1 is odd */
        out->other[i] = other;
    }
    const double allowed = row_allowed(r, v, want, out->desc.dtype), least = allowed > 0 ? 1.2e-38 : 1.5e-45;
    out->tol[i] = allowed + (out->desc.dtype == TN_F64 ? 1e-307 : least); /* what is computed may lose denormals */
}

static void check_row(const row *r, int32_t dtype, int64_t n)
{
    if (dtype == TN_I32 && !r->i) return;
    start_case("map %s %s [%lld]", r->name, dtype_name(dtype), (long long)n);
    tn_map_instr instr = {.op = r->name, .arg = {-1, -1, -1, -1}, .dtype = dtype};
    for (int a = 0; a < r->n_arg; a++) {
        add_in(dtype, 1, (int64_t[]){n}, NULL);
        if (r->used & (1 << a)) instr.arg[a] = a;
    }
    add_out(dtype, 1, (int64_t[]){n});
    int primal = r->y_at ? r->y_at : r->n_arg;
    for (int64_t i = 0; i < n; i++) {
        double v[4] = {0};
        for (int a = 0; a < r->n_arg; a++) {
            if (a == r->y_at && r->y_at) continue;
            double x = dtype == TN_I32 ? (double)(int32_t)random_bits() : row_value(i, a, primal);
            if (dtype == TN_I32 && i % 3) x = (double)((int64_t)(random_bits() % 7) - 3);
            if (a > primal) x = i % 7 ? 2 * uniform01() - 1 : 0;
            set(&T.in[a], i, x);
            v[a] = get(&T.in[a], i);
        }
        if (r->y_at) set(&T.in[r->y_at], i, dtype == TN_I32 ? (double)(int32_t)r->forward->i(v) : r->forward->d(v));
        row_expect(r, T.in, &T.out[0], i);
    }
    int32_t out = r->n_arg;
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, 1, (uint32_t)r->n_arg, 1, 0};
    finish_case();
}

static void check_rows(void)
{
    static const int32_t dtypes[] = {TN_F32, TN_F64, TN_I32};
    for (const row *r = rows; r->name; r++)
        for (int t = 0; t < 3; t++) {
            check_row(r, dtypes[t], N_SPECIAL * N_SPECIAL + 1500);
            check_row(r, dtypes[t], 1);
        }
}

/* ---- map: programs ----------------------------------------------------------------------------------------------- */

/* A program that is exact in every type: sums, differences, maxima of small whole numbers. */
static void random_program(tn_map_instr *instr, int n_instr, int n_in, int32_t dtype)
{
    static const char *const op[] = {"add", "sub", "min", "max", "lt", "where", "const", "eq", "scalar"};
    for (int i = 0; i < n_instr; i++) {
        instr[i] = (tn_map_instr){.op = op[random_bits() % 9], .arg = {-1, -1, -1, -1}, .dtype = dtype};
        int recent = n_in + i < 5 ? n_in + i : 5;
        for (int a = 0; a < 3; a++) instr[i].arg[a] = n_in + i - 1 - (int32_t)(random_bits() % (unsigned)recent);
        if (!strcmp(instr[i].op, "const")) instr[i].value = (double)(random_bits() % 5);
        if (!strcmp(instr[i].op, "scalar")) instr[i].arg[0] = (int32_t)(random_bits() % 2);
    }
}

static double program_value(const tn_map_instr *s, double *v)
{
    const double a = v[s->arg[0] < 0 ? 0 : s->arg[0]], b = v[s->arg[1] < 0 ? 0 : s->arg[1]];
    if (!strcmp(s->op, "add")) return a + b;
    if (!strcmp(s->op, "sub")) return a - b;
    if (!strcmp(s->op, "mul")) return a * b;
    if (!strcmp(s->op, "div")) return a / b;
    if (!strcmp(s->op, "sqrt")) return sqrt(a);
    if (!strcmp(s->op, "square")) return a * a;
    if (!strcmp(s->op, "min")) return a < b ? a : b;
    if (!strcmp(s->op, "max")) return a > b ? a : b;
    if (!strcmp(s->op, "lt")) return a < b;
    if (!strcmp(s->op, "eq")) return a == b;
    if (!strcmp(s->op, "relu")) return a > 0 ? a : 0;
    if (!strcmp(s->op, "where")) return a != 0 ? b : v[s->arg[2]];
    if (!strcmp(s->op, "const")) return s->value;
    return s->dtype == TN_I32 ? (double)T.scalar[s->arg[0]].i : T.scalar[s->arg[0]].f;
}

/* The element of an operand that belongs to element i of the iteration space. */
static int64_t element(const tn_tensor_desc *d, int64_t i)
{
    int64_t at = 0;
    for (int k = d->rank - 1; k >= 0; k--) {
        at += i % d->dim[k] * d->stride[k];
        i /= d->dim[k];
    }
    return at;
}

static void check_program(int32_t dtype, int rank, const int64_t *dim, int n_instr, int in_place)
{
    start_case("map program %s %s%d instructions, in place %d", dtype_name(dtype), dims_text(rank, dim), n_instr,
               in_place);
    int n_in = 1 + (int)(random_bits() % 4);
    for (int k = 0; k < n_in; k++) {
        int mask = k == 0 && in_place ? 0 : (int)(random_bits() % (1u << rank)); /* dimensions that broadcast */
        add_in(dtype, rank, dim, (int[]){mask & 1, mask & 2, mask & 4, mask & 8});
        for (int64_t i = 0; i < T.in[k].count; i++) set(&T.in[k], i, (double)((int64_t)(random_bits() % 9) - 4));
    }
    tn_map_instr instr[40];
    random_program(instr, n_instr, n_in, dtype);
    int32_t out[2] = {n_in + n_instr - 1, (int32_t)(random_bits() % (unsigned)(n_in + n_instr))};
    add_out(dtype, rank, dim);
    add_out(dtype, rank, dim);
    T.scalar[0].f = 3, T.scalar[1].f = -2, T.n_scalar = 2;
    if (dtype == TN_I32) T.scalar[0].i = 5, T.scalar[1].i = -1;
    if (in_place) T.alias[in_place - 1] = 0;
    for (int64_t i = 0; i < T.out[0].count; i++) {
        double v[48];
        for (int k = 0; k < n_in; k++) v[k] = get(&T.in[k], element(&T.in[k].desc, i));
        for (int k = 0; k < n_instr; k++) v[n_in + k] = program_value(&instr[k], v);
        for (int k = 0; k < 2; k++) T.out[k].want[i] = v[out[k]];
    }
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), instr, out, (uint32_t)n_instr, (uint32_t)n_in, 2, 2};
    finish_case();
}

static void check_programs(void)
{
    static const int64_t dims[][4] = {{1, 1, 1, 1}, {7, 13, 1, 1}, {32, 100, 1, 1},  {3, 1500, 1, 1}, {1031, 3, 1, 1},
                                      {5, 4, 3, 2}, {2, 17, 9, 5}, {300, 211, 1, 1}, {4, 0, 2, 1},    {2, 3, 700, 2}};
    static const int32_t dtypes[] = {TN_F32, TN_F64, TN_I32};
    for (int d = 0; d < 10; d++)
        for (int t = 0; t < 3; t++)
            for (int k = 0; k < 6; k++)
                check_program(dtypes[t],
                              k == 0 && d < 8                ? 1 + (d == 0)
                              : dims[d][2] * dims[d][3] == 1 ? 2
                                                             : 4,
                              dims[d], k < 3 ? 1 + k : 18, k % 3);
}

/* Loads and stores of each storage type, through a cast where it is needed. */
static void check_cast(int32_t from, int32_t to, int64_t n)
{
    start_case("map cast %s to %s [%lld]", dtype_name(from), dtype_name(to), (long long)n);
    int32_t value_in = from == TN_U8 ? TN_I32 : from == TN_F16 || from == TN_BF16 ? TN_F32 : from;
    int32_t value_out = to == TN_U8 ? TN_I32 : to == TN_F16 || to == TN_BF16 ? TN_F32 : to;
    add_in(from, 1, (int64_t[]){n}, NULL);
    add_out(to, 1, (int64_t[]){n});
    for (int64_t i = 0; i < n; i++) {
        double x = i < N_SPECIAL && value_out != TN_I32 ? special[i] : (2 * uniform01() - 1) * (i % 3 ? 300 : 70000);
        set(&T.in[0], i, value_in == TN_I32 ? trunc(isfinite(x) && fabs(x) < 1e9 ? x : 7) : x);
        double want = get(&T.in[0], i);
        if (value_out == TN_I32) want = isfinite(want) && fabs(want) < 2e9 ? trunc(want) : 0;
        if (value_out == TN_I32 && get(&T.in[0], i) != want && !isfinite(get(&T.in[0], i))) set(&T.in[0], i, 0);
        T.out[0].want[i] = store_round(to, value_out == TN_F32 ? (double)(float)want : want);
    }
    tn_map_instr instr = {.op = "cast", .arg = {0, -1, -1, -1}, .dtype = value_out};
    int32_t out = value_in != value_out;
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, (uint32_t)out, 1, 1, 0};
    finish_case();
}

static void check_iota(int32_t dtype, int dimension)
{
    start_case("map iota %s along %d of [7, 30, 11]", dtype_name(dtype), dimension);
    static const int64_t dim[] = {7, 30, 11}, inner[] = {330, 11, 1};
    add_out(dtype, 3, dim);
    for (int64_t i = 0; i < T.out[0].count; i++) T.out[0].want[i] = (double)(i / inner[dimension] % dim[dimension]);
    tn_map_instr instr = {.op = "iota", .arg = {dimension, -1, -1, -1}, .dtype = dtype};
    int32_t out = 0;
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, 1, 0, 1, 0};
    finish_case();
}

static void check_random(const char *op, int32_t dtype, int64_t rows_, int64_t n)
{
    start_case("map %s %s [%lld, %lld]", op, dtype_name(dtype), (long long)rows_, (long long)n);
    add_out(dtype, 2, (int64_t[]){rows_, n});
    T.scalar[0].i = (int64_t)0x123456789abcdef0, T.scalar[1].i = (int64_t)0xfedcba9876543210, T.n_scalar = 2;
    for (int64_t e = 0; e < T.out[0].count; e++) {
        uint32_t w[4];
        philox((uint64_t)T.scalar[0].i, (uint64_t)T.scalar[1].i, 5, (uint64_t)e, w);
        int p = e % 4 & ~1;
        double u = ((w[p] >> 8) + 1) * 0x1p-24, v = (w[p + 1] >> 8) * 0x1p-24, r = sqrt(-2 * log(u)), a = 2 * M_PI * v;
        T.out[0].want[e] = *op == 'u' ? (w[e % 4] >> 8) * 0x1p-24 : e % 2 ? r * sin(a) : r * cos(a);
        T.out[0].tol[e] = *op == 'u' ? 0 : 4e-6;
    }
    tn_map_instr instr = {.op = op, .arg = {0, 1, -1, -1}, .dtype = dtype, .value = 5};
    int32_t out = 0;
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, 1, 0, 1, 2};
    finish_case();
}

/* A formula's operations, as add(mul(0,1),2); returns the number of its value. */
static int32_t formula(const char **text, int32_t dtype, tn_map_instr *instr, int *n)
{
    static const char *const op[] = {"add", "sub", "mul", "div", "sqrt", "square"};
    if (**text >= '0' && **text <= '9') return *(*text)++ - '0';
    const size_t length = strcspn(*text, "(");
    tn_map_instr made = {.op = NULL, .arg = {-1, -1, -1, -1}, .dtype = dtype};
    for (int i = 0; i < 6; i++)
        if (!strncmp(op[i], *text, length) && !op[i][length]) made.op = op[i];
    *text += length;
    for (int a = 0; *(*text)++ != ')'; a++) made.arg[a] = formula(text, dtype, instr, n);
    instr[*n] = made;
    return 6 + (*n)++;
}

/* Formulas that a backend may compute at once, of numbers with which each step is exact. An operation within may be an
 * output too, or be read by another. */
enum { ALONE, IN_PLACE, SHOWN, READ, WAYS };

static void check_formula(const char *text, int32_t dtype, int way, int broadcast)
{
    static const double each[6][3] = {{-3, 1, 2}, {1, 2, 4}, {-8, 0, 4}, {1, 1, 1}, {9, 0, 1}, {1, 1, 1}};
    const int64_t dim[] = {300, 129};
    tn_map_instr instr[12];
    int n = 0;
    start_case("map %s %s, way %d, operand %d is broadcast", text, dtype_name(dtype), way, broadcast);
    for (int k = 0; k < 6; k++) {
        add_in(dtype, 2, dim, (int[]){k == broadcast, k + 6 == broadcast, 0, 0});
        for (int64_t i = 0; i < T.in[k].count; i++) set(&T.in[k], i, each[k][random_bits() % 3]);
    }
    int32_t out[2] = {formula(&text, dtype, instr, &n), 6};
    const int32_t root = out[0];
    if (way == READ)
        instr[n++] = (tn_map_instr){.op = "sub", .arg = {root, 6, -1, -1}, .dtype = dtype}, out[1] = root + 1;
    const int outs = way >= SHOWN ? 2 : 1;
    for (int k = 0; k < outs; k++) add_out(dtype, 2, dim);
    if (way == IN_PLACE) T.alias[0] = 0;
    for (int64_t i = 0; i < T.out[0].count; i++) {
        double v[18];
        for (int k = 0; k < 6; k++) v[k] = get(&T.in[k], element(&T.in[k].desc, i));
        for (int k = 0; k < n; k++) v[6 + k] = program_value(&instr[k], v);
        for (int k = 0; k < outs; k++) T.out[k].want[i] = v[out[k]];
    }
    T.desc.name = "map";
    T.desc.attrs = &(tn_map_attrs){sizeof(tn_map_attrs), instr, out, (uint32_t)n, 6, (uint32_t)outs, 0};
    finish_case();
}

static void check_formulas(void)
{
    static const char *const text[] = {"add(mul(0,1),2)",
                                       "add(0,mul(1,2))",
                                       "sub(0,mul(1,2))",
                                       "add(mul(0,1),mul(2,3))",
                                       "add(mul(0,1),mul(2,square(3)))",
                                       "sub(0,mul(1,div(2,add(mul(3,sqrt(4)),5))))",
                                       "sub(mul(2,0),mul(1,div(add(mul(0,1),2),add(mul(3,sqrt(4)),5))))"};
    for (size_t t = 0; t < sizeof text / sizeof *text; t++)
        for (int way = 0; way < WAYS; way++)
            for (int k = 0; k < 3; k++)
                check_formula(text[t], k == 2 ? TN_F64 : TN_F32, way, k == 1 ? 8 - way : 1 + way);
}

static void check_maps(void)
{
    check_rows();
    check_programs();
    check_formulas();
    for (int32_t from = TN_F32; from <= TN_F64; from++)
        for (int32_t to = TN_F32; to <= TN_F64; to++) check_cast(from, to, 1234), check_cast(from, to, 1);
    for (int d = 0; d < 3; d++) check_iota(TN_F32, d), check_iota(TN_I32, d), check_iota(TN_F64, d);
    for (int64_t n = 1; n < 8; n++) check_random("uniform", TN_F32, 1, n), check_random("normal", TN_F32, 3, n);
    check_random("uniform", TN_F32, 37, 1001), check_random("normal", TN_F32, 37, 1001);
    check_random("uniform", TN_F64, 3, 1001), check_random("normal", TN_F64, 3, 1001);
}

static const struct {
    const char *name;
    void (*check)(void);
} families[] = {{"maps", check_maps},           {"reduces", check_reduces}, {"matmuls", check_matmuls},
                {"softmaxes", check_softmaxes}, {"moves", check_moves},     {"pictures", check_pictures}};

int main(int argc, char **argv)
{
    int32_t s = open_backend(argc, argv);
    if (s) return s;
    const char *only = host_option(NULL, NULL, "only");
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!only || !strcmp(only, families[i].name)) families[i].check();
    return close_backend();
}
