/* asking.c: what a backend answers: to a second host, to what is reserved or comes later, at its own limits, for
 * nothing at all; that asking costs nothing; and that the extensions it offers do what their tables say. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sample.h"
#include "tenon/backend_ext.h"

/* Rules that were written down with version 1.1 are asked of backends of that version. */
static int is_of_1_0(tn_kit *kit)
{
    if (kit->backend->abi_minor) return 0;
    tn_kit_expect(kit, 1, " ");
    tn_kit_remark(kit, "not asked of a backend of version 1.0");
    return 1;
}

static int32_t asked(tn_kit *kit, const tn_op_desc *desc)
{
    return kit->backend->op_prepare(kit->context, desc, NULL, NULL, &kit->msg);
}

/* ---- one host at a time ---- */

static void one_host(tn_kit *kit)
{
    tn_buffer *buffer = NULL;
    char text[200] = "";
    tn_msg msg = {text, sizeof text};
    if (!tn_kit_open(kit)) return;
    if (!is_of_1_0(kit)) {
        const tn_backend *b = kit->backend;
        tn_host other = {.size = sizeof other}; /* of no use: a backend that takes it dies */
        int32_t second = b->init(&other, &msg);
        tn_kit_expect(kit, second == TN_ESTATE && *text, "a second init answers %s, '%s'; TN_ESTATE and a line belong",
                      tn_status_name(second), text);
        tn_kit_ok(kit, b->buffer_create(kit->context, 1000, &buffer, &kit->msg), "buffer_create after a second init");
        b->buffer_destroy(buffer);
    }
    tn_kit_close(kit);
}

/* ---- what is reserved, and what comes later ---- */

/* An operation whose attributes have fields of which other values than 0, or than 0 and 1, may mean something later. */
typedef struct with_reserved {
    const char *name;
    uint64_t at;      /* where `reserved` is, in bytes; 0: it has none */
    uint64_t flag[3]; /* where flags are, up to the first 0 */
    int32_t dtype;
    tn_shape in[3], out; /* all f32 but, with `dtype`, the output */
    tn_operation operation;
} with_reserved;

static const with_reserved of_attributes[] = {
    {"matmul",
     offsetof(tn_matmul_attrs, reserved),
     {offsetof(tn_matmul_attrs, trans_a), offsetof(tn_matmul_attrs, trans_b), offsetof(tn_matmul_attrs, sums)},
     TN_F32,
     {{3, {1, 2, 3}}, {3, {1, 3, 4}}},
     {3, {1, 2, 4}},
     {.attrs.matmul = {.size = sizeof(tn_matmul_attrs)}}},
    {"window",
     offsetof(tn_window_attrs, reserved),
     {0},
     TN_F32,
     {{2, {4, 3}}},
     {2, {2, 3}},
     {.attrs.window = {.size = sizeof(tn_window_attrs)}}},
    {"cumsum",
     0,
     {offsetof(tn_cumsum_attrs, reverse), offsetof(tn_cumsum_attrs, exclusive)},
     TN_F32,
     {{3, {1, 4, 1}}},
     {3, {1, 4, 1}},
     {.attrs.cumsum = {.size = sizeof(tn_cumsum_attrs)}}},
    {"topk",
     offsetof(tn_topk_attrs, reserved),
     {offsetof(tn_topk_attrs, smallest)},
     TN_I32,
     {{3, {1, 4, 1}}},
     {3, {1, 2, 1}},
     {.attrs.topk = {.size = sizeof(tn_topk_attrs)}}},
    {"searchsorted",
     offsetof(tn_searchsorted_attrs, reserved),
     {offsetof(tn_searchsorted_attrs, right)},
     TN_I32,
     {{2, {1, 4}}, {2, {1, 2}}},
     {2, {1, 2}},
     {.attrs.searchsorted = {.size = sizeof(tn_searchsorted_attrs)}}},
    {"attend",
     offsetof(tn_attend_attrs, reserved),
     {offsetof(tn_attend_attrs, causal)},
     TN_F32,
     {{4, {1, 2, 3, 4}}, {4, {1, 1, 5, 4}}, {4, {1, 1, 5, 2}}},
     {1, {18}},
     {.attrs.attend = {.size = sizeof(tn_attend_attrs)}}},
    {"layer_norm",
     offsetof(tn_layer_norm_attrs, reserved),
     {offsetof(tn_layer_norm_attrs, keep_mean)},
     TN_F32,
     {{2, {3, 4}}, {1, {4}}},
     {2, {3, 4}},
     {.attrs.layer_norm = {.size = sizeof(tn_layer_norm_attrs)}}},
    {"conv2d",
     0,
     {offsetof(tn_conv_attrs, channels_last)},
     TN_F32,
     {{4, {1, 1, 4, 4}}, {4, {1, 1, 3, 3}}},
     {4, {1, 1, 2, 2}},
     {.attrs.conv = {sizeof(tn_conv_attrs), NULL, {1, 1}, {0, 0}, {1, 1}, 1, 0}}},
    {"maxpool2d",
     0,
     {offsetof(tn_pool_attrs, count_pad), offsetof(tn_pool_attrs, channels_last)},
     TN_F32,
     {{4, {1, 1, 4, 4}}},
     {4, {1, 1, 2, 2}},
     {.attrs.pool = {sizeof(tn_pool_attrs), {2, 2}, {2, 2}, {0, 0}, 0, 0}}},
};

/* If the operation is supported, it no longer is with `value` in the field. */
static void expect_refused_with(tn_kit *kit, const tn_op_desc *desc, void *field, int32_t value, const char *what)
{
    const int32_t usual = asked(kit, desc);
    int32_t before;
    memcpy(&before, field, sizeof before);
    memcpy(field, &value, sizeof value);
    const int32_t status = asked(kit, desc);
    memcpy(field, &before, sizeof before);
    tn_kit_expect(kit, usual || status == TN_EUNSUPPORTED, "%s with %s: %s", desc->name, what, tn_status_name(status));
    kit->result->refused += usual != TN_OK;
}

static void expect_refused(tn_kit *kit, const tn_op_desc *desc, void *reserved)
{
    expect_refused_with(kit, desc, reserved, 1, "something in 'reserved'");
}

static void reserved_of_attributes(tn_kit *kit, const with_reserved *row)
{
    with_reserved r = *row;
    tn_operation *o = &r.operation;
    o->desc = (tn_op_desc){.size = sizeof o->desc,
                           .name = r.name,
                           .in = o->in,
                           .out = o->out,
                           .n_in = r.in[2].rank   ? 3
                                   : r.in[1].rank ? 2
                                                  : 1,
                           .n_out = 1,
                           .attrs = &o->attrs};
    for (uint32_t i = 0; i < o->desc.n_in; i++) o->in[i] = tn_desc_dense(TN_F32, &r.in[i]);
    o->out[0] = tn_desc_dense(r.dtype, &r.out);
    unsigned char *attrs = (unsigned char *)&o->attrs;
    if (r.at) expect_refused(kit, &o->desc, attrs + r.at);
    for (int i = 0; i < 3 && r.flag[i]; i++)
        expect_refused_with(kit, &o->desc, attrs + r.flag[i], 2, "a flag that is neither 0 nor 1");
}

/* The same inside of other operators: `sample` with a map of one instruction, which has something in `reserved`. */
static void reserved_of_map(tn_kit *kit, int sample)
{
    tn_kit_sample s;
    if (!tn_kit_sample_make(kit, sample, &s)) return;
    tn_operation *o = &s.operation;
    s.instr[0] = (tn_map_instr){"relu", {0, -1, -1, -1}, TN_F32, 0, 0}, s.out = 1;
    s.map = (tn_map_attrs){sizeof s.map, s.instr, &s.out, 1, 1, 1, 0};
    if (!strcmp(o->desc.name, "matmul")) o->attrs.matmul.epilogue = &s.map;
    expect_refused(kit, s.job.desc, &s.instr[0].reserved);
    tn_kit_sample_free(&s);
}

static void reserved_of_picture(tn_kit *kit)
{
    const int32_t out = 1;
    tn_map_instr instr = {"relu", {0, -1, -1, -1}, TN_F32, 0, 0};
    const tn_map_attrs map = {sizeof map, &instr, &out, 1, 1, 1, 0};
    const tn_conv_attrs conv = {sizeof conv, &map, {1, 1}, {0, 0}, {1, 1}, 1, 0};
    const tn_tensor_desc in[] = {tn_desc_dense(TN_F32, &(tn_shape){4, {1, 1, 4, 4}}),
                                 tn_desc_dense(TN_F32, &(tn_shape){4, {1, 1, 3, 3}})};
    const tn_tensor_desc y = tn_desc_dense(TN_F32, &(tn_shape){4, {1, 1, 2, 2}});
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "conv2d", .in = in, .out = &y, .n_in = 2, .n_out = 1, .attrs = &conv};
    expect_refused(kit, &desc, &instr.reserved);
}

static void reserved(tn_kit *kit)
{
    tn_kit_sample s;
    if (!tn_kit_open(kit)) return;
    if (!is_of_1_0(kit)) {
        if (!tn_kit_sample_make(kit, 0, &s)) return;
        expect_refused(kit, s.job.desc, &s.instr[1].reserved);
        tn_kit_sample_free(&s);
        for (size_t i = 0; i < sizeof of_attributes / sizeof *of_attributes; i++)
            reserved_of_attributes(kit, &of_attributes[i]);
        reserved_of_map(kit, 1);
        reserved_of_map(kit, 2);
        reserved_of_picture(kit);
    }
    tn_kit_close(kit);
}

/* A level of precision is for products alone, and one that nobody has defined is refused; where operands lie changes no
 * answer and no result. */
static void precision_and_alignment(tn_kit *kit)
{
    static const uint64_t align[TN_MAX_OPERANDS] = {64, 0, 4};
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < TN_KIT_SAMPLES && !is_of_1_0(kit) && !kit->result->failed; i++) {
        tn_kit_sample s;
        tn_kit_want want;
        if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
        tn_op_desc *desc = &s.operation.desc;
        int32_t usual = asked(kit, desc);
        desc->in_align = align, desc->out_align = align + 1;
        tn_kit_expect(kit, asked(kit, desc) == usual, "%s: the alignment of its operands changes the answer",
                      desc->name);
        if (tn_kit_run_job(kit, &s.job) == TN_KIT_RAN)
            tn_kit_compare(kit, &s.job, &want, ", told of its operands' alignment");
        desc->precision = TN_PRECISION_BF16;
        tn_kit_expect(kit, !strcmp(desc->name, "matmul") || asked(kit, desc) == TN_EUNSUPPORTED,
                      "%s: a level of precision, which is for products, is accepted", desc->name);
        desc->precision = 77;
        tn_kit_expect(kit, asked(kit, desc) == TN_EUNSUPPORTED, "%s: a precision that does not exist is accepted",
                      desc->name);
        desc->precision = 0, desc->keeps = 77;
        tn_kit_expect(kit, asked(kit, desc) == TN_EUNSUPPORTED, "%s: to keep 77 of its inputs is accepted", desc->name);
        tn_kit_want_free(&want);
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

/* ---- limits ---- */

enum { SMALL = 37 };

/* A map of dense operands: the sum of all inputs, then 1 added for each output but the first. */
typedef struct wide_map {
    tn_tensor_desc in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS];
    tn_map_instr instr[TN_MAX_INSTRS];
    int32_t result[TN_MAX_OPERANDS];
    tn_map_attrs attrs;
    tn_op_desc desc;
} wide_map;

static int32_t add_up(wide_map *m, int32_t a, int32_t b)
{
    m->instr[m->attrs.n_instr] = (tn_map_instr){"add", {a, b, -1, -1}, TN_F32, 0, 0};
    return (int32_t)(m->attrs.n_in + m->attrs.n_instr++);
}

static void make_wide(wide_map *m, uint32_t n_in, uint32_t n_out, uint32_t n_instr)
{
    memset(m, 0, sizeof *m);
    m->attrs = (tn_map_attrs){sizeof m->attrs, m->instr, m->result, 0, n_in, n_out, 0};
    m->desc = (tn_op_desc){.size = sizeof m->desc,
                           .name = "map",
                           .in = m->in,
                           .out = m->out,
                           .n_in = n_in,
                           .n_out = n_out,
                           .attrs = &m->attrs};
    for (uint32_t i = 0; i < TN_MAX_OPERANDS; i++) m->in[i] = m->out[i] = tn_kit_dense(1, SMALL, 0, 0);
    int32_t value = 0;
    for (uint32_t i = 1; i < n_in; i++) value = add_up(m, value, (int32_t)i);
    for (uint32_t k = 0; k < n_out; k++) {
        if (k) value = add_up(m, value, 0);
        m->result[k] = value;
    }
    while (m->attrs.n_instr < n_instr) value = add_up(m, value, 0);
    m->result[n_out - 1] = value;
}

/* Runs it on inputs of i + 1, and looks at one element of each output. */
static void run_wide(tn_kit *kit, wide_map *m)
{
    float in[TN_MAX_OPERANDS][SMALL], out[TN_MAX_OPERANDS][SMALL];
    tn_kit_job job = {.desc = &m->desc};
    tn_kit_want want;
    for (uint32_t i = 0; i < TN_MAX_OPERANDS; i++) {
        for (int e = 0; e < SMALL; e++) in[i][e] = (float)(i + 1);
        job.in[i] = (unsigned char *)in[i], job.out[i] = (unsigned char *)out[i];
    }
    if (!tn_kit_expected(kit, &job, &want)) return;
    if (tn_kit_run_job(kit, &job) == TN_KIT_RAN) tn_kit_compare(kit, &job, &want, ", as large as the device takes");
    tn_kit_want_free(&want);
}

static uint32_t limit_of(uint32_t told, uint32_t most)
{
    return told && told < most ? told : most;
}

/* What device_info says that one operator may have is no empty promise. */
static void limits(tn_kit *kit)
{
    wide_map m;
    if (!tn_kit_open(kit)) return;
    make_wide(&m, 2, 1, 1);
    if (!is_of_1_0(kit) && asked(kit, &m.desc) == TN_OK) {
        const tn_device_info *d = &kit->info;
        uint32_t n_in = limit_of(d->max_in, TN_MAX_OPERANDS), n_out = limit_of(d->max_out, TN_MAX_OPERANDS);
        uint32_t n_instr = limit_of(d->max_instr, TN_MAX_INSTRS), least = n_in + n_out - 2;
        make_wide(&m, n_in, n_out, n_instr < least ? least : n_instr);
        int32_t status = n_instr < least ? TN_OK : asked(kit, &m.desc);
        tn_kit_expect(kit, status == TN_OK, "it claims to take %u inputs, %u outputs and %u instructions: %.200s", n_in,
                      n_out, n_instr, kit->text);
        if (!status && n_instr >= least) run_wide(kit, &m);
    } else {
        kit->result->refused++;
    }
    tn_kit_close(kit);
}

/* ---- nothing at all ---- */

/* Reduces (3, 0) to (3, 1). */
static int32_t reduce_nothing(tn_kit *kit, const char *kind, float out[3])
{
    static const int32_t result = 0;
    const tn_tensor_desc x = {TN_F32, 2, {3, 0}, {0, 1}}, y = tn_kit_dense(2, 3, 1, 0);
    const tn_map_attrs map = {sizeof map, NULL, &result, 0, 1, 1, 0};
    const tn_reduce_attrs attrs = {
        .size = sizeof attrs, .kind = kind, .map = &map, .dim = {3, 0}, .rank = 2, .axes = 2};
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "reduce", .in = &x, .out = &y, .n_in = 1, .n_out = 1, .attrs = &attrs};
    tn_kit_job job = {.desc = &desc, .in = {(unsigned char *)out}, .out = {(unsigned char *)out}};
    int32_t status = asked(kit, &desc);
    if (!status) (void)tn_kit_run_job(kit, &job);
    return status;
}

static void nothing(tn_kit *kit)
{
    static const char *const none[] = {"max", "min"};
    if (!tn_kit_open(kit)) return;
    for (int product = 0; product < 2; product++) {
        float out[3] = {9, 9, 9}, want = (float)product;
        const char *kind = product ? "prod" : "sum";
        if (reduce_nothing(kit, kind, out))
            kit->result->refused++;
        else
            tn_kit_expect(kit, out[0] == want && out[2] == want, "the %s of nothing is %g", kind, (double)out[0]);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none && !is_of_1_0(kit); i++) {
        float out[3];
        tn_kit_expect(kit, reduce_nothing(kit, none[i], out) != TN_OK, "the %s of nothing is accepted", none[i]);
    }
    tn_kit_close(kit);
}

/* ---- asking costs nothing ---- */

#define POISON_WORD 0xdbdbdbdbdbdbdbdbu

enum { ASKED = 60 };
#define MOST_SECONDS 0.01 /* of the processor, for one answer; sanitizers and debuggers are slow */

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Shapes that were not seen before, so that nothing is known from another time. */
static int ask_about(tn_kit *kit, int which, int64_t size)
{
    tn_kit_sample s;
    if (!tn_kit_sample_make(kit, which, &s)) return 0;
    tn_operation *o = &s.operation;
    o->in[0].dim[0] += size, o->out[0].dim[0] += size;
    if (which == 0) o->in[1].dim[0] += size;
    if (which == 1) {
        o->in[0] = tn_kit_dense(3, 1, 600 + size, 700), o->in[1] = tn_kit_dense(3, 1, 700, 500 + size);
        o->out[0] = tn_kit_dense(3, 1, 600 + size, 500 + size);
    }
    if (which == 2) o->attrs.reduce.dim[0] += size;
    int32_t status = asked(kit, s.job.desc);
    if (status == TN_EUNSUPPORTED)
        kit->result->refused++;
    else
        tn_kit_ok(kit, status, s.job.desc->name);
    tn_kit_sample_free(&s);
    return !kit->result->failed;
}

static void asking(tn_kit *kit)
{
    tn_queue_stats before = {.size = sizeof before}, after = {.size = sizeof after};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kit_ok(kit, b->queue_stats(kit->queue, &before, &kit->msg), "queue_stats");
    for (int which = 0; which < TN_KIT_SAMPLES; which++) ask_about(kit, which, 1); /* what is made once for all */
    int64_t live = tn_kit_live, puts = tn_kit_puts;
    double begin = processor_seconds();
    for (int i = 0; i < ASKED && ask_about(kit, i % TN_KIT_SAMPLES, 2 + i); i++) continue;
    double each = (processor_seconds() - begin) / ASKED;
    tn_kit_expect(kit, each < MOST_SECONDS, "an answer takes %.1f ms of the processor", 1e3 * each);
    tn_kit_expect(kit, tn_kit_live == live, "%d answers keep %lld blocks of memory", ASKED,
                  (long long)(tn_kit_live - live));
    tn_kit_expect(kit, tn_kit_puts == puts, "%d answers put %lld entries into the cache", ASKED,
                  (long long)(tn_kit_puts - puts));
    tn_kit_ok(kit, b->queue_stats(kit->queue, &after, &kit->msg), "queue_stats");
    tn_kit_expect(kit, after.launches == before.launches && after.host_waits == before.host_waits,
                  "answers launch %llu kernels and wait %llu times",
                  (unsigned long long)(after.launches - before.launches),
                  (unsigned long long)(after.host_waits - before.host_waits));
    tn_kit_remark(kit, "%.0f us an answer", 1e6 * each);
    tn_kit_close(kit);
}

/* ---- extensions ---- */

/* The budget of a device that is there, in a struct of any size; and of one that is not. */
static void check_budget(tn_kit *kit, const tn_ext_memory *memory)
{
    uint64_t room[4] = {16, 0, POISON_WORD, POISON_WORD};
    tn_memory_budget budget = {.size = sizeof budget};
    uint32_t index = kit->target->index;
    if (!tn_kit_ok(kit, memory->budget(index, &budget, &kit->msg), "budget")) return;
    tn_kit_expect(kit, budget.size == sizeof budget && budget.total && budget.free <= budget.total,
                  "of %llu bytes of memory %llu are free", (unsigned long long)budget.total,
                  (unsigned long long)budget.free);
    tn_kit_expect(kit, budget.total >= kit->info.max_buffer || !kit->info.max_buffer,
                  "the device has %llu bytes, and buffers of %llu", (unsigned long long)budget.total,
                  (unsigned long long)kit->info.max_buffer);
    tn_kit_ok(kit, memory->budget(index, (tn_memory_budget *)(void *)room, &kit->msg), "budget");
    tn_kit_expect(kit, room[0] == 16 && room[1] == budget.total && room[2] == POISON_WORD,
                  "a budget of 16 bytes is written beyond, or not at all");
    *kit->text = 0;
    tn_kit_expect(kit, memory->budget(1u << 20, &budget, &kit->msg) != TN_OK && *kit->text,
                  "device %u has a budget, or there is none without a line", 1u << 20);
}

static void extensions(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    const tn_ext_memory *memory = tn_kit_extension(kit, TN_EXT_MEMORY);
    if (!memory)
        kit->result->refused++;
    else if (tn_kit_expect(kit, TN_HAS(tn_ext_memory, memory, budget) && memory->budget, TN_EXT_MEMORY " is not whole"))
        check_budget(kit, memory);
    tn_kit_expect(kit, tn_kit_extension(kit, TN_EXT_MEMORY) == memory, "the table of an extension moves");
    tn_kit_close(kit);
}

/* All are prepared before one is made ready, and the first is let go of by then. */
static void make_ready(tn_kit *kit, const tn_ext_ready *table, tn_kernel *kernel[TN_KIT_SAMPLES])
{
    const tn_backend *b = kit->backend;
    b->op_release(kernel[0]);
    for (int i = TN_KIT_SAMPLES - 1; i > 0; i--)
        for (int time = 0; kernel[i] && time < 2; time++)
            tn_kit_ok(kit, table->ready(kernel[i], &kit->msg), time ? "ready, again" : "ready");
    for (int i = 1; i < TN_KIT_SAMPLES; i++) b->op_release(kernel[i]);
}

static void ready(tn_kit *kit)
{
    tn_kernel *kernel[TN_KIT_SAMPLES] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_ext_ready *table = tn_kit_extension(kit, TN_EXT_READY);
    for (int i = 0; table && i < 2 * TN_KIT_SAMPLES; i++) {
        tn_kit_sample s;
        tn_kit_want want;
        const int first = i < TN_KIT_SAMPLES;
        if (!tn_kit_sample_make(kit, i % TN_KIT_SAMPLES, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
        if (first)
            (void)kit->backend->op_prepare(kit->context, s.job.desc, &kernel[i], NULL, &kit->msg);
        else if (tn_kit_run_job(kit, &s.job) == TN_KIT_RAN)
            tn_kit_compare(kit, &s.job, &want, ", made ready with others");
        tn_kit_want_free(&want);
        tn_kit_sample_free(&s);
        if (i + 1 == TN_KIT_SAMPLES) make_ready(kit, table, kernel);
    }
    kit->result->refused += !table;
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_asking[] = {
    {"abi", "one-host", "a second host is refused, and the first keeps its backend", one_host, NULL, 0, 0},
    {"abi", "reserved", "something in 'reserved', or a flag that is neither 0 nor 1, is refused", reserved, NULL, 0, 0},
    {"abi", "precision", "levels of precision are for products; operands' alignment is but a hint",
     precision_and_alignment, NULL, 0, 0},
    {"abi", "limits", "an operator as large as the device says that it takes", limits, NULL, 0, 0},
    {"abi", "nothing", "the sum and product of nothing; no largest of nothing", nothing, NULL, 0, 0},
    {"abi", "asking", "asking is quick, keeps nothing and leaves the device alone", asking, NULL, 0, 0},
    {"abi", "ready", "operators that are made ready together", ready, NULL, 0, 0},
    {"abi", "extensions", "the extensions that it offers are whole", extensions, NULL, 0, 0},
    {0},
};
