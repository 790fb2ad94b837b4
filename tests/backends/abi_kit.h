/* abi_kit.h: what abi_ops.c stands on: a small host, operands with guard bands, and the run of one case. */
#ifndef ABI_KIT_H
#define ABI_KIT_H

#include <ctype.h>
#include <dlfcn.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/backend.h>

#define SEED 20261121u

static const tn_backend *B;
static tn_context *context;
static tn_queue *queue;
static uint64_t guard = 256; /* bytes before and after each operand */
static int n_passed, n_failed, n_refused;
static int64_t live; /* blocks that the backend holds from its host */

/* ---- random numbers, the host ----------------------------------------------------------------------------------- */

static uint64_t random_state = SEED;

static uint32_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20);
}

static double uniform01(void)
{
    return (random_bits() & 0xffffff) * 0x1p-24;
}

/* Philox4x32-10 as backend.h describes it. */
static void philox(uint64_t key, uint64_t seed, uint32_t stream, uint64_t e, uint32_t w[4])
{
    uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    w[0] = (uint32_t)(e / 4), w[1] = stream + ((uint32_t)(e / 4 >> 32) << 24);
    w[2] = (uint32_t)seed, w[3] = (uint32_t)(seed >> 32);
    for (int round_ = 0; round_ < 10; round_++) {
        uint64_t p = 0xD2511F53ull * w[0], q = 0xCD9E8D57ull * w[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ w[1] ^ k[0], (uint32_t)q, (uint32_t)(p >> 32) ^ w[3] ^ k[1],
                            (uint32_t)p};
        memcpy(w, next, sizeof next);
        k[0] += 0x9E3779B9u, k[1] += 0xBB67AE85u;
    }
}

static void *host_allocate(void *self, uint64_t bytes, uint64_t alignment)
{
    (void)self;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, bytes ? bytes : 1))
        return NULL;
    __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    return memory;
}

static void host_release(void *self, void *memory)
{
    (void)self;
    if (memory) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
    free(memory);
}

static void host_log(void *self, int32_t level, const char *line)
{
    (void)self;
    if (level >= TN_LOG_WARNING) fprintf(stderr, "backend: %s\n", line);
}

static char **host_options;

static const char *host_option(void *self, const char *backend, const char *key)
{
    (void)self, (void)backend;
    size_t n = strlen(key);
    for (char **o = host_options; o && *o; o++)
        if (!strncmp(*o, key, n) && (*o)[n] == '=') return *o + n + 1;
    return NULL;
}

static int64_t host_cache_get(void *self, const char *key, void *data, uint64_t capacity)
{
    (void)self, (void)key, (void)data, (void)capacity;
    return -1;
}

static void host_cache_put(void *self, const char *key, const void *data, uint64_t bytes)
{
    (void)self, (void)key, (void)data, (void)bytes;
}

static void host_parallel_for(void *self, int64_t n, void (*body)(void *, int64_t, int64_t), void *arg)
{
    (void)self;
    body(arg, 0, n);
}

static const tn_host host = {sizeof(tn_host), NULL,           host_allocate,  host_release,      host_log,
                             host_option,     host_cache_get, host_cache_put, host_parallel_for, NULL};

/* ---- elements ---------------------------------------------------------------------------------------------------- */

static const char *dtype_name(int32_t dtype)
{
    static const char *const name[] = {"?", "f32", "i32", "u8", "f16", "bf16", "f64"};
    return name[dtype];
}

/* To the nearest number of `bits` of mantissa whose least exponent is `least`, ties to even. */
static double round_to(double x, int bits, int least, double largest)
{
    if (!isfinite(x) || x == 0) return x;
    int e = ilogb(x) < least ? least : ilogb(x);
    double r = ldexp(nearbyint(ldexp(x, bits - e)), e - bits);
    return fabs(r) > largest ? copysign(INFINITY, x) : r;
}

/* What is read back after `x` was stored as `dtype`. */
static double store_round(int32_t dtype, double x)
{
    if (dtype == TN_F32) return (double)(float)x;
    if (dtype == TN_F16) return round_to(x, 10, -14, 65504);
    if (dtype == TN_BF16) return round_to(x, 7, -126, 0x1.fep127);
    return dtype == TN_U8 ? (double)((int64_t)x & 255) : x;
}

static double half_value(uint32_t bits, int mantissa, int bias, int exponent_max)
{
    int e = (int)(bits >> mantissa) & exponent_max, sign = bits >> 15 ? -1 : 1;
    double m = bits & ((1u << mantissa) - 1);
    if (e == exponent_max) return m != 0 ? NAN : sign * (double)INFINITY;
    return sign * (e ? ldexp(m + (1u << mantissa), e - bias - mantissa) : ldexp(m, 1 - bias - mantissa));
}

static uint32_t half_bits(double x, int mantissa, int bias, int exponent_max)
{
    uint32_t sign = signbit(x) ? 0x8000u : 0;
    if (isnan(x)) return ((uint32_t)exponent_max << mantissa) | 1u << (mantissa - 1);
    if (isinf(x)) return sign | (uint32_t)exponent_max << mantissa;
    if (x == 0) return sign;
    int e = ilogb(x);
    if (e < 1 - bias) return sign | (uint32_t)ldexp(fabs(x), bias - 1 + mantissa);
    return sign | (((uint32_t)(e + bias) << mantissa) + ((uint32_t)ldexp(fabs(x), mantissa - e) - (1u << mantissa)));
}

static double load(int32_t dtype, const unsigned char *p)
{
    if (dtype == TN_F32) return (double)*(const float *)p;
    if (dtype == TN_F64) return *(const double *)p;
    if (dtype == TN_I32) return *(const int32_t *)p;
    if (dtype == TN_U8) return *p;
    return dtype == TN_F16 ? half_value(*(const uint16_t *)p, 10, 15, 31)
                           : half_value(*(const uint16_t *)p, 7, 127, 255);
}

static void store(int32_t dtype, unsigned char *p, double x)
{
    x = store_round(dtype, x);
    if (dtype == TN_F32) *(float *)p = (float)x;
    if (dtype == TN_F64) *(double *)p = x;
    if (dtype == TN_I32) *(int32_t *)p = (int32_t)x;
    if (dtype == TN_U8) *p = (unsigned char)x;
    if (dtype == TN_F16) *(uint16_t *)p = (uint16_t)half_bits(x, 10, 15, 31);
    if (dtype == TN_BF16) *(uint16_t *)p = (uint16_t)half_bits(x, 7, 127, 255);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

typedef struct operand {
    tn_tensor_desc desc;
    int64_t count; /* elements that lie in memory */
    unsigned char *data, *back;
    double *want, *tol; /* of an output: what is expected, how far it may be off */
    double *other;      /* holds too, where `either` says so */
    char *either;
    tn_buffer *buffer;
} operand;

/* The case at hand. */
static struct {
    char what[200];
    uint64_t seed;
    operand in[8], out[4];
    int n_in, n_out;
    int32_t alias[4];
    tn_scalar scalar[4];
    uint64_t n_scalar;
    tn_op_desc desc;
} T;

static double get(const operand *o, int64_t i)
{
    return load(o->desc.dtype, o->data + (uint64_t)i * tn_dtype_size(o->desc.dtype));
}

static void set(operand *o, int64_t i, double x)
{
    store(o->desc.dtype, o->data + (uint64_t)i * tn_dtype_size(o->desc.dtype), x);
}

static uint64_t operand_bytes(const operand *o)
{
    return (uint64_t)o->count * tn_dtype_size(o->desc.dtype);
}

static const char *dims_text(int rank, const int64_t *dim)
{
    static char text[4][100];
    static int turn;
    char *t = text[turn++ % 4];
    size_t n = 0;
    t[n++] = '[';
    for (int d = 0; d < rank; d++) n += (size_t)sprintf(t + n, "%s%lld", d ? ", " : "", (long long)dim[d]);
    strcpy(t + n, "] ");
    return t;
}

__attribute__((format(printf, 1, 2))) static void start_case(const char *format, ...)
{
    memset(&T, 0, sizeof T);
    va_list args;
    va_start(args, format);
    vsnprintf(T.what, sizeof T.what, format, args);
    va_end(args);
    T.seed = random_state;
    for (int k = 0; k < 4; k++) T.alias[k] = -1;
    T.desc.size = sizeof T.desc;
}

static operand *make_operand(operand *o, int32_t dtype, int rank, const int64_t *dim, const int *broadcast)
{
    o->desc.dtype = dtype, o->desc.rank = rank, o->count = 1;
    int64_t stride = 1, count = 1;
    for (int d = rank - 1; d >= 0; d--) {
        o->desc.dim[d] = dim[d];
        o->desc.stride[d] = broadcast && broadcast[d] ? 0 : stride;
        if (!broadcast || !broadcast[d]) stride *= dim[d];
        count *= dim[d];
    }
    o->count = count ? stride : 0;
    o->data = calloc(operand_bytes(o) + 1, 1);
    o->back = calloc(operand_bytes(o) + 2 * guard, 1);
    return o;
}

/* Dimensions d with broadcast[d] get the stride 0. */
static operand *add_in(int32_t dtype, int rank, const int64_t *dim, const int *broadcast)
{
    return make_operand(&T.in[T.n_in++], dtype, rank, dim, broadcast);
}

static operand *add_out(int32_t dtype, int rank, const int64_t *dim)
{
    operand *o = make_operand(&T.out[T.n_out++], dtype, rank, dim, NULL);
    o->want = calloc((size_t)o->count + 1, sizeof(double));
    o->other = calloc((size_t)o->count + 1, sizeof(double));
    o->tol = calloc((size_t)o->count + 1, sizeof(double));
    o->either = calloc((size_t)o->count + 1, 1);
    return o;
}

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("FAIL %s (seed %" PRIu64 "): ", T.what, T.seed);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

static int ok(int32_t status, const char *call, const tn_msg *msg)
{
    if (status != TN_OK) fail("%s answers %d: %s", call, status, msg->text);
    return status == TN_OK;
}

static int near_enough(double got, double want, double tol)
{
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    return got == want || fabs(got - want) <= tol;
}

/* Where an operand begins: past the first guard. */
static tn_ref ref_of(const operand *o)
{
    return (tn_ref){o->buffer, guard};
}

static int upload(operand *o, const unsigned char *data, tn_msg *msg)
{
    uint64_t bytes = operand_bytes(o);
    memset(o->back, 0xa5, bytes + 2 * guard);
    if (data) memcpy(o->back + guard, data, bytes);
    return ok(B->buffer_create(context, bytes + 2 * guard, &o->buffer, msg), "buffer_create", msg) &&
           ok(B->write(queue, (tn_ref){o->buffer, 0}, o->back, bytes + 2 * guard, msg), "write", msg) &&
           ok(B->queue_sync(queue, msg), "queue_sync", msg);
}

/* Reads an operand back; the guards must be as they were. */
static int download(operand *o, const char *role, tn_msg *msg)
{
    uint64_t bytes = operand_bytes(o);
    if (!ok(B->read(queue, o->back, (tn_ref){o->buffer, 0}, bytes + 2 * guard, msg), "read", msg) ||
        !ok(B->queue_sync(queue, msg), "queue_sync", msg))
        return 0;
    for (uint64_t i = 0; i < bytes + 2 * guard; i++)
        if ((i < guard || i >= guard + bytes) && o->back[i] != 0xa5) {
            fail("%s written outside its range, at byte %lld", role, (long long)i - (long long)guard);
            return 0;
        }
    return 1;
}

static int compare(const operand *o, int k)
{
    for (int64_t i = 0; i < o->count; i++) {
        double got = load(o->desc.dtype, o->back + guard + (uint64_t)i * tn_dtype_size(o->desc.dtype));
        if (near_enough(got, o->want[i], o->tol[i])) continue;
        if (o->either[i] && near_enough(got, o->other[i], 1e-6 * fabs(o->other[i]) + 3e-45)) continue;
        fail("output %d, element %lld: expected %.9g +- %.3g, got %.9g", k, (long long)i, o->want[i], o->tol[i], got);
        for (int a = 0; a < T.n_in && T.in[a].count == o->count; a++)
            printf("     input %d there: %.9g\n", a, get(&T.in[a], i));
        return 0;
    }
    return 1;
}

static int run_case(tn_kernel *kernel, const tn_kernel_info *info, tn_buffer **scratch, tn_msg *msg)
{
    tn_ref in[8], out[4];
    for (int k = 0; k < T.n_in; k++) {
        if (!upload(&T.in[k], T.in[k].data, msg)) return 0;
        in[k] = ref_of(&T.in[k]);
    }
    for (int k = 0; k < T.n_out; k++) {
        if (T.alias[k] < 0 && !upload(&T.out[k], NULL, msg)) return 0;
        out[k] = T.alias[k] < 0 ? ref_of(&T.out[k]) : in[T.alias[k]];
    }
    if (info->scratch && !ok(B->buffer_create(context, info->scratch, scratch, msg), "buffer_create", msg)) return 0;
    tn_run run = {sizeof run, in, out, {*scratch, 0}, T.scalar, T.n_scalar};
    if (!ok(B->op_run(queue, kernel, &run, msg), "op_run", msg) || !ok(B->queue_sync(queue, msg), "queue_sync", msg))
        return 0;
    for (int k = 0; k < T.n_in; k++) {
        int written = 0;
        for (int j = 0; j < T.n_out; j++) written |= T.alias[j] == k;
        if (!download(&T.in[k], "an input", msg)) return 0;
        if (written || !memcmp(T.in[k].back + guard, T.in[k].data, operand_bytes(&T.in[k]))) continue;
        fail("input %d was changed", k);
        return 0;
    }
    for (int k = 0; k < T.n_out; k++) {
        operand *o = &T.out[k];
        if (T.alias[k] < 0 ? !download(o, "an output", msg) : 0) return 0;
        if (T.alias[k] >= 0) memcpy(o->back, T.in[T.alias[k]].back, operand_bytes(o) + 2 * guard);
        if (!compare(o, k)) return 0;
    }
    return 1;
}

static void free_operand(operand *o)
{
    B->buffer_destroy(o->buffer);
    free(o->data), free(o->back), free(o->want), free(o->other), free(o->tol), free(o->either);
}

/* Prepares and runs the case, checks all of it and lets go of it. */
static void finish_case(void)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_tensor_desc in[8], out[4];
    for (int k = 0; k < T.n_in; k++) in[k] = T.in[k].desc;
    for (int k = 0; k < T.n_out; k++) out[k] = T.out[k].desc;
    T.desc.in = in, T.desc.out = out, T.desc.n_in = (uint32_t)T.n_in, T.desc.n_out = (uint32_t)T.n_out;
    T.desc.alias = T.alias;
    tn_kernel *kernel = NULL;
    tn_buffer *scratch = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t asked = B->op_prepare(context, &T.desc, NULL, NULL, &msg);
    int32_t status = B->op_prepare(context, &T.desc, &kernel, &info, &msg);
    if (asked != status)
        fail("op_prepare answers %d when asked and %d when told: %s", asked, status, text), n_failed++;
    else if (status == TN_EUNSUPPORTED)
        n_refused++, printf("refused: %s: %s\n", T.what, text);
    else if (ok(status, "op_prepare", &msg) && run_case(kernel, &info, &scratch, &msg))
        n_passed++;
    else
        n_failed++;
    B->op_release(kernel);
    B->buffer_destroy(scratch);
    for (int k = 0; k < T.n_in; k++) free_operand(&T.in[k]);
    for (int k = 0; k < T.n_out; k++) free_operand(&T.out[k]);
}

/* One thing that must hold. */
static void expect(int holds, const char *what)
{
    if (!holds) printf("FAIL %s\n", what);
    if (holds)
        n_passed++;
    else
        n_failed++;
}

static void fill_rows(void);

static int32_t open_backend(int argc, char **argv)
{
    if (argc < 2) return fprintf(stderr, "usage: %s BACKEND.so [DEVICE [KEY=VALUE ...]]\n", argv[0]), 2;
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    tn_backend_query_fn *query = library ? (tn_backend_query_fn *)dlsym(library, "tn_backend_query") : NULL;
    if (!query) return fprintf(stderr, "%s\n", dlerror()), 2;
    host_options = argc > 3 ? argv + 3 : NULL;
    uint32_t device = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
    tn_device_info info = {.size = sizeof info};
    B = query(TN_ABI_MAJOR, TN_ABI_MINOR);
    if (!B) return fprintf(stderr, "no table\n"), 2;
    int32_t s = B->init(&host, &msg);
    if (!s) s = B->device_info(device, &info, &msg);
    if (!s) s = B->context_create(device, &context, &msg);
    if (!s) s = B->queue_create(context, &queue, &msg);
    if (s) return fprintf(stderr, "status %d: %s\n", s, text), 2;
    printf("%s device %u: %s (%s), alignment %" PRIu64 ", seed %u\n", B->id, device, info.name, info.driver,
           info.alignment, SEED);
    if (info.alignment > guard) guard = info.alignment;
    fill_rows();
    return 0;
}

static int close_backend(void)
{
    B->queue_destroy(queue);
    B->context_destroy(context);
    B->deinit();
    expect(live == 0, "deinit returns all host memory");
    printf("%d refused\n%d passed, %d failed\n", n_refused, n_passed, n_failed);
    return n_failed != 0;
}

#endif
