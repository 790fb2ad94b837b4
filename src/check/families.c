/* families.c: operations that are nearly alike, side by side in one process: prepared together, run at the same places
 * on other data each time, with two operands at one place, on numbers at the ends of their types. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference_internal.h"
#include "stock.h"
#include "tenon/backend_check.h"

/* ---- a family ---- */

enum { INPUTS = 3, OUTPUTS = 2, PLACES = INPUTS + OUTPUTS + 1 };

/* Its operations, and buffers in which each finds room. */
typedef struct family {
    tn_kit *kit;
    uint32_t count;
    tn_kit_item item[TN_KIT_FAMILY];
    tn_kernel *kernel[TN_KIT_FAMILY]; /* NULL: refused, or not tried */
    tn_buffer *at[PLACES];            /* inputs, outputs, the scratch memory */
} family;

/* The operations from number `first` on that have one name. */
static void gather(family *f, uint32_t first)
{
    const uint32_t all = tn_kit_stock_count();
    for (f->count = 0; f->count < TN_KIT_FAMILY && first + f->count < all; f->count++) {
        tn_kit_item *item = &f->item[f->count];
        tn_kit_stock_make(first + f->count, item);
        if (strcmp(item->operation.desc.name, f->item[0].operation.desc.name)) break;
    }
}

static int prepare(family *f, uint32_t i, uint64_t *scratch)
{
    tn_kit *kit = f->kit;
    tn_kernel_info info = {.size = sizeof info};
    char what[300];
    const tn_op_desc *desc = f->item[i].job.desc;
    const int32_t s = kit->backend->op_prepare(kit->context, desc, &f->kernel[i], &info, &kit->msg);
    if (s == TN_EUNSUPPORTED) {
        kit->result->refused++;
        snprintf(kit->refusal, sizeof kit->refusal, "%.150s: %.140s", tn_kit_describe(desc, what, sizeof what),
                 kit->text);
        return 1;
    }
    if (*scratch < info.scratch) *scratch = info.scratch;
    return tn_kit_expect(kit, !s, "%s: op_prepare answers %s: %.200s", tn_kit_describe(desc, what, sizeof what),
                         tn_status_name(s), kit->text);
}

/* All that are tried are prepared before any runs. */
static int open_family(family *f)
{
    uint64_t bytes[PLACES] = {0};
    int fine = 1;
    for (uint32_t i = 0; fine && i < f->count; i++) {
        const tn_op_desc *desc = f->item[i].job.desc;
        for (uint32_t k = 0; k < PLACES - 1; k++) {
            const tn_tensor_desc *x = k < INPUTS ? &desc->in[k] : &desc->out[k - INPUTS];
            const int is_there = k < INPUTS ? k < desc->n_in : k - INPUTS < desc->n_out;
            if (is_there && bytes[k] < tn_kit_bytes(x)) bytes[k] = tn_kit_bytes(x);
        }
        fine = !tn_kit_takes(f->kit, i, f->count) || prepare(f, i, &bytes[PLACES - 1]);
    }
    for (int k = 0; fine && k < PLACES; k++)
        fine = tn_kit_ok(f->kit, f->kit->backend->buffer_create(f->kit->context, bytes[k], &f->at[k], &f->kit->msg),
                         "buffer_create");
    return fine;
}

static void close_family(family *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        f->kit->backend->op_release(f->kernel[i]);
        tn_kit_stock_free(&f->item[i]);
    }
    for (int k = 0; k < PLACES; k++) f->kit->backend->buffer_destroy(f->at[k]);
}

/* Writes the operands, runs and reads the results; nobody waits. Input `twin`, if it is not 0, lies where `of` does. */
static int32_t enqueue(const family *f, uint32_t i, uint32_t twin, uint32_t of)
{
    tn_kit *kit = f->kit;
    const tn_backend *b = kit->backend;
    const tn_kit_job *job = &f->item[i].job;
    const unsigned char nobody = 0xff;
    tn_ref in[INPUTS], out[OUTPUTS];
    int32_t s = TN_OK;
    for (uint32_t k = 0; !s && k < job->desc->n_in; k++) {
        in[k] = (tn_ref){f->at[twin && k == twin ? of : k], 0};
        s = b->write(kit->queue, in[k], job->in[k], tn_kit_bytes(&job->desc->in[k]), &kit->msg);
    }
    for (uint32_t k = 0; !s && k < job->desc->n_out; k++) {
        out[k] = (tn_ref){f->at[INPUTS + k], 0};
        s = b->fill(kit->queue, out[k], tn_kit_bytes(&job->desc->out[k]), &nobody, 1, &kit->msg);
    }
    const tn_run run = {sizeof run, in, out, {f->at[PLACES - 1], 0}, job->scalar, job->n_scalar};
    if (!s) s = b->op_run(kit->queue, f->kernel[i], &run, &kit->msg);
    for (uint32_t k = 0; !s && k < job->desc->n_out; k++)
        s = b->read(kit->queue, job->out[k], out[k], tn_kit_bytes(&job->desc->out[k]), &kit->msg);
    return s;
}

/* One operation on numbers of that sort, and its result. */
static int run_one(family *f, uint32_t i, tn_kit_numbers numbers, uint32_t twin, uint32_t of, const char *how)
{
    tn_kit *kit = f->kit;
    if (!f->kernel[i]) return 1;
    if (!tn_kit_stock_fill(kit, &f->item[i], numbers, twin, of)) return 0;
    int32_t s = enqueue(f, i, twin, of);
    if (!s) s = kit->backend->queue_sync(kit->queue, &kit->msg);
    return tn_kit_ok(kit, s, f->item[i].job.desc->name) && tn_kit_compare(kit, &f->item[i].job, &f->item[i].want, how);
}

static void each_family(tn_kit *kit, int (*body)(family *f))
{
    const uint32_t all = tn_kit_stock_count();
    family *f = tn_kit_open(kit) ? calloc(1, sizeof *f) : NULL;
    int fine = f != NULL;
    kit->result->checks = 0; /* opening is no check of an operation */
    for (uint32_t first = 0; fine && first < all; first += f->count) {
        *f = (family){.kit = kit};
        gather(f, first);
        fine = open_family(f) && body(f);
        close_family(f);
    }
    free(f);
    const uint32_t checks = kit->result->checks;
    tn_kit_close(kit);
    kit->result->checks = checks;
    if (kit->result->refused)
        tn_kit_remark(kit, "%u operations were refused; the last: %.300s", kit->result->refused, kit->refusal);
}

/* ---- one after the other, at the same places ---- */

enum { ROUNDS = 3 };

/* Every other round begins with the last. */
static int run_all(family *f, int round)
{
    tn_kit *kit = f->kit;
    int32_t s = TN_OK;
    for (uint32_t n = 0; !s && n < f->count; n++) {
        const uint32_t i = round % 2 ? f->count - 1 - n : n;
        if (!f->kernel[i]) continue;
        if (!tn_kit_stock_fill(kit, &f->item[i], TN_KIT_RANDOM, 0, 0)) return 0;
        s = enqueue(f, i, 0, 0);
    }
    if (!s) s = kit->backend->queue_sync(kit->queue, &kit->msg);
    return tn_kit_ok(kit, s, "operations that are nearly alike");
}

static int run_twins(family *f)
{
    static const char *const how[ROUNDS] = {", beside others of its sort", ", beside others of its sort, on other data",
                                            ", beside others of its sort, on other data again"};
    for (int round = 0; round < ROUNDS; round++) {
        if (!run_all(f, round)) return 0;
        for (uint32_t i = 0; i < f->count; i++)
            if (f->kernel[i] && !tn_kit_compare(f->kit, &f->item[i].job, &f->item[i].want, how[round])) return 0;
    }
    return 1;
}

static void twins(tn_kit *kit)
{
    each_family(kit, run_twins);
}

/* ---- two operands at one place ---- */

static int run_pairs(family *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const tn_op_desc *desc = f->item[i].job.desc;
        for (uint32_t b = 1; b < desc->n_in; b++)
            for (uint32_t a = 0; a < b; a++) {
                const tn_tensor_desc *x = &desc->in[a], *y = &desc->in[b];
                if (x->dtype != y->dtype || tn_desc_count(x) != tn_desc_count(y)) continue;
                if (!run_one(f, i, TN_KIT_RANDOM, b, a, ", two of its operands at one place")) return 0;
            }
    }
    return 1;
}

static void one_place(tn_kit *kit)
{
    each_family(kit, run_pairs);
}

/* ---- the ends of the types ---- */

/* What becomes of infinities where they meet the zeros around a picture is left open, and so is whether the sum on the
 * way to a mean overflows. Sums of random numbers alone are judged by no operand's rounding. */
static int is_open(const tn_kit_item *item, tn_kit_numbers numbers)
{
    const char *op = item->job.desc->name;
    const tn_map_attrs *map = strcmp(op, "reduce") ? NULL : item->operation.attrs.reduce.map;
    const int is_random = map && map->n_instr && tn_is_random(map->instr->op);
    const int overflows = numbers == TN_KIT_LARGEST || numbers == TN_KIT_LEAST;
    return item->cancels || is_random || !strncmp(op, "conv", 4) || (overflows && !strncmp(op, "avgpool2d", 9));
}

static int run_extremes(family *f)
{
    static const char *const how[TN_KIT_NUMBERS] = {"",
                                                    ", of -infinity alone",
                                                    ", of infinity alone",
                                                    ", of NaN alone",
                                                    ", of zeros of both signs",
                                                    ", of the largest number alone",
                                                    ", of the least number alone",
                                                    ", of denormals alone"};
    for (uint32_t i = 0; i < f->count; i++)
        for (tn_kit_numbers n = 1; n < TN_KIT_NUMBERS; n++)
            if (!is_open(&f->item[i], n) && !run_one(f, i, n, 0, 0, how[n])) return 0;
    return 1;
}

static void extremes(tn_kit *kit)
{
    each_family(kit, run_extremes);
}

/* ---- the ends of the narrow types, bit by bit ---- */

enum { ENDS = 64 };

/* Around the largest number of each type, halfway between two, and the smallest ones, of both signs. */
static void make_ends(float x[ENDS])
{
    static const uint32_t bits[] = {0x7f7fffff, 0x7f7f8001, 0x7f7f8000, 0x7f7f7fff, 0x7f7f0000, 0x7f7effff, 0x477ff000,
                                    0x477fefff, 0x477fe000, 0x477fdfff, 0x477ff001, 0x47800000, 0x3f808000, 0x3f818000,
                                    0x3f808001, 0x3f801000, 0x3f803000, 0x3f801001, 0x38800000, 0x387fffff, 0x387fe000,
                                    0x33800000, 0x33000000, 0x33000001, 0x32ffffff, 0x7f800000, 0x00000000, 0x00800000,
                                    0x3f7fffff, 0x40490fdb, 0x477fe001, 0x33c00000};
    for (size_t i = 0; i < ENDS; i++) {
        const uint32_t one = bits[i / 2 % (sizeof bits / sizeof *bits)] | (i % 2 ? 0x80000000u : 0);
        memcpy(&x[i], &one, sizeof one);
    }
}

static int store_ends(tn_kit *kit, int32_t dtype)
{
    static const int32_t first = 0;
    const tn_map_attrs map = {sizeof map, NULL, &first, 0, 1, 1, 0};
    const tn_tensor_desc x = tn_desc_dense(TN_F32, &(tn_shape){1, {ENDS}}),
                         y = tn_desc_dense(dtype, &(tn_shape){1, {ENDS}});
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &y, .n_in = 1, .n_out = 1, .attrs = &map};
    float from[ENDS];
    double exact[ENDS];
    uint16_t want[ENDS], got[ENDS];
    make_ends(from);
    for (int i = 0; i < ENDS; i++) exact[i] = (double)from[i];
    tn_reference_store(want, exact, &y);
    const tn_kit_job job = {.desc = &desc, .in = {(unsigned char *)from}, .out = {(unsigned char *)got}};
    const int answer = tn_kit_run_job(kit, &job);
    for (int i = 0; answer == TN_KIT_RAN && i < ENDS; i++)
        if (!tn_kit_expect(kit, got[i] == want[i], "%a as %s is %#06x, not %#06x", exact[i], tn_dtype_name(dtype),
                           want[i], got[i]))
            return 0;
    return answer != TN_KIT_WRONG;
}

/* Towards zero, the nearest that fits, a NaN to 0. */
static int32_t whole_of(double x)
{
    return isnan(x) ? 0 : x >= INT32_MAX ? INT32_MAX : x <= INT32_MIN ? INT32_MIN : (int32_t)x;
}

/* Around the ends of i32, as the type holds them. */
static int cast_ends(tn_kit *kit, int32_t dtype)
{
    static const tn_map_instr instr = {"cast", {0, -1, -1, -1}, TN_I32, 0, 0};
    static const int32_t out = 1;
    static const double number[] = {0x1p31,  0x1p31 - 128, 0x1p31 - 1, 0x1p31 - 0.5,   0x1p31 - 1.5, 0x1p31 + 256,
                                    0x1p32,  0x1p32 + 512, 0x1p62,     0x1p63,         0x1p64,       1e30,
                                    65504,   0.99,         0.5,        16777217,       3e38,         INFINITY,
                                    0x1p-20, NAN,          0x1p31 + 1, 0x1p31 + 2.0e3, 1.5,          2.99};
    enum { COUNT = 2 * sizeof number / sizeof *number };
    const tn_map_attrs map = {sizeof map, &instr, &out, 1, 1, 1, 0};
    const tn_tensor_desc x = tn_desc_dense(dtype, &(tn_shape){1, {COUNT}}),
                         y = tn_desc_dense(TN_I32, &(tn_shape){1, {COUNT}});
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &y, .n_in = 1, .n_out = 1, .attrs = &map};
    double value[COUNT];
    unsigned char from[COUNT * sizeof *value];
    int32_t got[COUNT];
    for (int i = 0; i < COUNT; i++) value[i] = i % 2 ? -number[i / 2] : number[i / 2];
    tn_reference_store(from, value, &x);
    tn_reference_load(value, from, &x);
    const tn_kit_job job = {.desc = &desc, .in = {from}, .out = {(unsigned char *)got}};
    const int answer = tn_kit_run_job(kit, &job);
    for (int i = 0; answer == TN_KIT_RAN && i < COUNT; i++)
        if (!tn_kit_expect(kit, got[i] == whole_of(value[i]), "%.17g of %s as i32 is %d, not %d", value[i],
                           tn_dtype_name(dtype), whole_of(value[i]), got[i]))
            return 0;
    return answer != TN_KIT_WRONG;
}

static void narrow(tn_kit *kit)
{
    static const int32_t types[] = {TN_F32, TN_F64, TN_F16, TN_BF16};
    int fine = tn_kit_open(kit) && store_ends(kit, TN_BF16) && store_ends(kit, TN_F16);
    for (size_t i = 0; fine && i < sizeof types / sizeof *types; i++) fine = cast_ends(kit, types[i]);
    tn_kit_close(kit);
}

/* ---- in place, at places that are not aligned ---- */

static int run_over(tn_kit *kit, int32_t dtype, int64_t count, uint32_t shift)
{
    static const tn_map_instr instr = {"add", {0, 0, -1, -1}, TN_F32, 0, 0};
    static const int32_t out = 1, alias = 0;
    tn_kit_item item = {.job = {.shift = shift}};
    tn_operation *o = &item.operation;
    char how[100];
    o->in[0] = o->out[0] = tn_desc_dense(dtype, &(tn_shape){1, {count}});
    o->attrs.map = (tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, 1, 1, 1, 0};
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = "map", .in = o->in, .out = o->out, .n_in = 1, .n_out = 1};
    o->desc.attrs = &o->attrs, o->desc.alias = &alias, item.job.desc = &o->desc;
    snprintf(how, sizeof how, ", in place, %u elements off alignment", shift);
    int fine = tn_kit_stock_fill(kit, &item, TN_KIT_RANDOM, 0, 0);
    const int answer = fine ? tn_kit_run_job(kit, &item.job) : TN_KIT_WRONG;
    if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item.job, &item.want, how);
    tn_kit_stock_free(&item);
    return fine && answer != TN_KIT_WRONG;
}

static void in_place(tn_kit *kit)
{
    static const int64_t count[] = {37, 5001, 70003, 1000003};
    static const uint32_t shift[] = {0, 1, 2, 3, 7};
    int fine = tn_kit_open(kit);
    for (size_t c = 0; fine && c < sizeof count / sizeof *count; c++)
        for (size_t k = 0; fine && k < sizeof shift / sizeof *shift; k++)
            fine = run_over(kit, TN_F32, count[c], shift[k]) && (c == 3 || run_over(kit, TN_BF16, count[c], shift[k]));
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_families[] = {
    {"consistency", "twins", "operations that differ in one attribute, at the same places, on other data each time",
     twins},
    {"consistency", "one-place", "two operands of an operation lie at one place", one_place},
    {"consistency", "extremes", "lines of nothing but infinities, NaN, zeros, the largest number, denormals", extremes},
    {"consistency", "narrow", "the ends of f16 and bf16, and of i32 in casts, bit by bit", narrow},
    {"consistency", "in-place", "maps over their own operand, long ones, at places that are not aligned", in_place},
    {0},
};
