/* operations.c: faults of preparing and of running, whatever the operation. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"

static int broken; /* a kernel was let go of that never ran */

/* ---- preparing ---- */

static void remember_map(wrapped *w, const tn_map_attrs *map)
{
    w->n_instr = map->n_instr, w->n_scalar = map->n_scalar;
    for (uint32_t i = 0; i < map->n_instr; i++) {
        const tn_map_instr *instr = &map->instr[i];
        w->has_gradient |= !strcmp(instr->op, "tanh.grad");
        w->casts |= !strcmp(instr->op, "cast");
        w->chooses |= !strcmp(instr->op, "where");
        if (!strcmp(instr->op, "iota")) w->iota = instr->arg[0] + 1;
        if (!strcmp(instr->op, "uniform") || !strcmp(instr->op, "normal"))
            w->seed = instr->arg[0], w->step = instr->arg[1];
    }
}

static void remember_reduce(wrapped *w, const tn_reduce_attrs *reduce)
{
    w->is_place = !strncmp(reduce->kind, "arg", 3);
    w->is_largest = !strcmp(reduce->kind, "max");
    w->by_place = !strcmp(reduce->kind, "argmax") && reduce->rank == 2 && reduce->axes == 2 && !reduce->map->n_instr;
    w->n_scalar = reduce->map->n_scalar;
    w->plain_sum = !strcmp(reduce->kind, "sum") && !reduce->map->n_instr && tn_desc_count(&w->out) == 1;
}

static void remember(wrapped *w, const tn_op_desc *desc)
{
    snprintf(w->name, sizeof w->name, "%s", desc->name);
    w->theirs = desc->name;
    w->n_in = desc->n_in, w->seed = w->step = -1;
    for (uint32_t i = 0; i < desc->n_in && i < 2; i++) w->in[i] = desc->in[i];
    w->last = desc->n_out - 1;
    w->out = desc->out[w->last];
    if (!strcmp(desc->name, "map")) remember_map(w, desc->attrs);
    if (!strcmp(desc->name, "map") && desc->n_out > 1)
        w->narrow_first = desc->out[0].dtype == TN_F16 && desc->out[1].dtype == TN_F32 &&
                          ((const tn_map_attrs *)desc->attrs)->out[0] == ((const tn_map_attrs *)desc->attrs)->out[1];
    if (!strcmp(desc->name, "reduce")) remember_reduce(w, desc->attrs);
    if (!strcmp(desc->name, "matmul")) memcpy(&w->matmul, desc->attrs, sizeof w->matmul);
    if (!strcmp(desc->name, "conv2d")) memcpy(&w->conv, desc->attrs, sizeof w->conv);
    if (strstr(desc->name, "pool2d")) memcpy(&w->pool, desc->attrs, sizeof w->pool);
}

static int has_f64(const tn_op_desc *desc)
{
    int has = 0;
    for (uint32_t i = 0; desc->in && i < desc->n_in; i++) has |= desc->in[i].dtype == TN_F64;
    for (uint32_t i = 0; desc->out && i < desc->n_out; i++) has |= desc->out[i].dtype == TN_F64;
    return has;
}

/* The attributes of a reduction without what its map's instructions have in `reserved`. */
static void overlook_reserved(tn_op_desc *desc, uint64_t attrs[])
{
    static tn_map_instr instr[TN_MAX_INSTRS];
    static tn_map_attrs map;
    tn_reduce_attrs *reduce = (tn_reduce_attrs *)(void *)attrs;
    *reduce = *(const tn_reduce_attrs *)desc->attrs;
    map = *reduce->map;
    for (uint32_t i = 0; i < map.n_instr && i < TN_MAX_INSTRS; i++) instr[i] = map.instr[i], instr[i].reserved = 0;
    map.instr = instr, reduce->map = &map, desc->attrs = attrs;
}

/* Changes the description as a fault wants it, or answers instead. Returns -1 to go on. */
static int32_t spoil(tn_op_desc *desc, uint64_t attrs[], int asked, tn_msg *msg)
{
    static const struct {
        const char *name;
        uint64_t size;
    } known[] = {
        {"map", sizeof(tn_map_attrs)}, {"reduce", sizeof(tn_reduce_attrs)}, {"matmul", sizeof(tn_matmul_attrs)}};
    int softmax = !strcmp(desc->name, "softmax");
    if (IS(aborts_on_unknown) && !strcmp(desc->name, "no_such_operator")) abort();
    if (IS(trusts_rank) && desc->n_in && desc->in && desc->in[0].rank > 1000) abort();
    if (IS(any_flag) && !strcmp(desc->name, "topk") && desc->attrs) {
        memcpy(attrs, desc->attrs, sizeof(tn_topk_attrs));
        ((tn_topk_attrs *)(void *)attrs)->smallest &= 1;
        desc->attrs = attrs;
    }
    if ((IS(none_single) || IS(wrong_single)) && has_f64(desc)) return fault_say(msg, TN_EUNSUPPORTED, "no f64");
    if (IS(says_yes) && softmax && !asked) return fault_say(msg, TN_EUNSUPPORTED, "not after all");
    if (IS(long_message) && msg && msg->text && msg->capacity) strcpy(msg->text, "no operator of that name is known");
    if (IS(any_shape) && softmax && asked) return TN_OK;
    if (IS(any_precision)) desc->precision = 0;
    if (IS(any_reserved) && !strcmp(desc->name, "topk") && desc->attrs) {
        memcpy(attrs, desc->attrs, offsetof(tn_topk_attrs, reserved));
        memset((char *)attrs + offsetof(tn_topk_attrs, reserved), 0, sizeof(uint32_t));
        desc->attrs = attrs;
    }
    if (IS(inner_reserved) && !strcmp(desc->name, "reduce")) overlook_reserved(desc, attrs);
    if (IS(late_option)) fault_host->option(fault_host->self, "faulty", "late");
    if (IS(asks_for_good) && asked) fault_host->allocate(fault_host->self, 8, 8);
    if (IS(fewer_outputs) && desc->n_out > 20) return fault_say(msg, TN_EUNSUPPORTED, "so many outputs are too many");
    for (size_t i = 0; IS(ignores_attributes) && desc->attrs && i < sizeof known / sizeof *known; i++)
        if (!strcmp(desc->name, known[i].name) && *(const uint64_t *)desc->attrs > known[i].size) {
            memcpy(attrs, desc->attrs, known[i].size);
            attrs[0] = known[i].size;
            desc->attrs = attrs;
        }
    return -1;
}

/* Strides that a fault takes for others. */
static void spoil_strides(const tn_op_desc *desc, tn_tensor_desc in[])
{
    const int fifth = IS(fifth_dimension) && !strcmp(desc->name, "map");
    const int batch = IS(epilogue_batch) && !strcmp(desc->name, "matmul") && desc->n_out && desc->out[0].dim[0] > 3;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        if (fifth && in[i].rank >= 5) in[i].stride[in[i].rank - 5] = 0;
        if (batch && i >= 2) in[i].stride[0] = 0;
    }
}

/* Describes the operator in memory that all threads share: the last thread's wins. */
static int32_t prepare_shared(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                              tn_msg *msg)
{
    static tn_op_desc draft;
    draft = *desc;
    usleep(20);
    return fault_real->op_prepare(context, &draft, kernel, info, msg);
}

/* unlocked_count: what all kernels use is there as long as somebody has one, whom nobody counts with a lock. */
static volatile int users, is_there;

static void begin_use(void)
{
    const int before = users;
    if (!IS(unlocked_count)) return;
    usleep(1);
    users = before + 1, is_there = 1;
}

static void end_use(void)
{
    if (IS(unlocked_count) && --users <= 0) is_there = 0;
}

static int32_t op_prepare(tn_context *context, const tn_op_desc *given, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg)
{
    uint64_t attrs[32];
    tn_tensor_desc in[TN_MAX_OPERANDS];
    fault_program program;
    tn_op_desc desc = {0};
    if (IS(clears_kernel) && kernel) *kernel = NULL;
    if (IS(declines_without_memory)) {
        void *memory = kernel ? fault_host->allocate(fault_host->self, 64, 8) : NULL;
        if (kernel && !memory) return fault_say(msg, TN_EUNSUPPORTED, "not now");
        fault_host->release(fault_host->self, memory);
    }
    if (!tn_attrs_known(given, sizeof desc)) return fault_say(msg, TN_EUNSUPPORTED, "a description of a later version");
    memcpy(&desc, given, given->size < sizeof desc ? given->size : sizeof desc);
    desc.size = sizeof desc;
    int32_t s = spoil(&desc, attrs, !kernel, msg);
    if (s >= 0) return s;
    if ((IS(fifth_dimension) || IS(epilogue_batch)) && desc.n_in <= TN_MAX_OPERANDS) {
        memcpy(in, desc.in, desc.n_in * sizeof *in);
        spoil_strides(&desc, in);
        desc.in = in;
    }
    const uint32_t level = fault_take_level(&desc);
    const uint64_t keeps = fault_take_keeping(&desc);
    fault_take_for_another(&desc);
    fault_take_part_for_another(&desc, &program);
    wrapped *w = kernel ? calloc(1, sizeof *w) : NULL;
    if (kernel && !w) return TN_ENOMEM;
    uint64_t room = info ? info->size : 0;
    s = (IS(shared_draft) ? prepare_shared : fault_real->op_prepare)(context, &desc, w ? &w->real : NULL, info, msg);
    if (!s && info && IS(overstates_size)) info->size = room;
    if (!s && info && room >= sizeof *info) info->kept = keeps;
    if (!s && w && info && IS(scratch_when_told)) info->scratch += 64;
    if (s || !w) return free(w), s;
    remember(w, &desc);
    w->level = level, w->keeps = keeps;
    (void)fault_prepare_one(context, &desc, w);
    if (IS(any_scratch) && info && fault_real->buffer_create(context, info->scratch, &w->spare, msg)) w->spare = NULL;
    if (IS(leaks_host)) fault_host->allocate(fault_host->self, 8, 8);
    *kernel = (tn_kernel *)w;
    begin_use();
    return TN_OK;
}

static void op_release(tn_kernel *kernel)
{
    wrapped *w = (wrapped *)kernel;
    broken |= w && !w->ran;
    if (w) end_use();
    if (w) fault_real->op_release(w->real), fault_real->op_release(w->one);
    if (w) fault_real->buffer_destroy(w->spare), fault_real->buffer_destroy(w->kept);
    free(w);
}

/* ---- running ---- */

/* Works in memory that all threads share: the last thread's operands win. */
static int32_t run_shared(tn_queue *queue, const wrapped *w, const tn_run *run, tn_msg *msg)
{
    static tn_ref out;
    static tn_run now;
    now = *run;
    out = run->out[0];
    now.out = &out;
    usleep(100);
    return fault_real->op_run(queue, w->real, &now, msg);
}

/* Operands whose places are kept in 32 bits. */
static int32_t run_narrow(tn_queue *queue, const wrapped *w, const tn_run *run, tn_msg *msg)
{
    tn_ref in[TN_MAX_OPERANDS];
    tn_run now = *run;
    for (uint32_t i = 0; i < w->n_in; i++) in[i] = run->in[i], in[i].offset &= UINT32_MAX;
    now.in = in;
    return fault_real->op_run(queue, w->real, &now, msg);
}

/* Results that depend on the queue or the context. */
static void spoil_by_place(const tn_queue *queue, const wrapped *w, const tn_run *run)
{
    static const tn_queue *first;
    if (!first) first = queue;
    int other = (IS(first_queue_alone) && queue != first) || (IS(first_context_alone) && fault_contexts > 1);
    if (other && w->out.dtype == TN_F32 && tn_desc_count(&w->out))
        *(float *)(void *)tn_reference_range(run->out[w->last], 0) += 1e-7f;
}

int32_t fault_run_now(tn_queue *queue, wrapped *w, const tn_run *run, tn_msg *msg)
{
    other_run other;
    unsigned char tail[16];
    fault_ends ends;
    fault_begin_other(&other, w, run);
    fault_keep(&other, w);
    fault_narrow_numbers(&other, w);
    fault_round_factors(&other, w);
    fault_save_tail(w, run, tail);
    fault_save_ends(w, run, &ends);
    if (w->spare) other.run.scratch = (tn_ref){w->spare, 0};
    const int in_static = IS(one_thread) || (IS(static_lines) && !strcmp(w->name, "topk"));
    int32_t s = in_static         ? run_shared(queue, w, run, msg)
                : IS(narrow_runs) ? run_narrow(queue, w, run, msg)
                : w->one          ? fault_run_batches(queue, w, run, msg)
                                  : fault_real->op_run(queue, w->real, &other.run, msg);
    fault_end_other(&other);
    fault_do_later(msg);
    if (s) return s;
    fault_spoil(w, run);
    fault_spoil_large(w, run);
    fault_spoil_kept(w, run);
    fault_spoil_ends(w, run);
    fault_spoil_programs(w, run);
    fault_round_sums(w, run);
    fault_put_tail(w, run, tail);
    fault_put_ends(&ends);
    spoil_by_place(queue, w, run);
    return TN_OK;
}

/* Whether the operand goes on beyond its buffer, of which it then does nothing. */
static int is_beyond(tn_ref at, const tn_tensor_desc *x)
{
    uint64_t bytes = (uint64_t)tn_desc_count(x) * tn_dtype_size(x->dtype);
    return at.offset > at.buffer->bytes || bytes > at.buffer->bytes - at.offset;
}

static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    wrapped *w = (wrapped *)kernel;
    w->ran = 1;
    fault_produced = run->out[0].buffer;
    fault_nothing += !tn_desc_count(&w->out);
    if (IS(reads_later) && run->size > sizeof *run) return TN_OK;
    if (IS(breaks_when_unused) && broken) return fault_say(msg, TN_EDEVICE, "broken");
    if (IS(unchecked_scalars) && !strcmp(w->name, "reduce") && run->n_scalar < w->n_scalar) return TN_OK;
    if (IS(few_scalars) && run->n_scalar < w->n_scalar) return TN_OK;
    if (IS(keeps_name) && is_beyond(run->out[0], &w->out)) fault_say(msg, TN_EINVAL, w->theirs);
    if (IS(clamps_input) && is_beyond(run->in[0], &w->in[0])) return TN_OK;
    if (IS(clamps_output) && is_beyond(run->out[0], &w->out)) return TN_OK;
    if (IS(prints)) puts("it is running");
    if (IS(leaks) && !malloc(100)) return TN_ENOMEM;
    if (IS(unlocked_count) && !is_there) return TN_OK;
    if (IS(nothing_to_do) && w->n_in && !tn_desc_count(&w->in[w->n_in > 1])) return TN_OK;
    if (IS(skips_size_1) && tn_desc_count(&w->out) == 1) return TN_OK;
    if (IS(ignores_alias) && run->in[0].buffer == run->out[0].buffer) return TN_OK;
    if (IS(fails_late) && !strcmp(w->name, "softmax")) return fault_say(msg, TN_EDEVICE, "softmax does not work");
    return fault_run_now(queue, w, run, msg);
}

void fault_set_operations(tn_backend *table)
{
    table->op_prepare = op_prepare, table->op_release = op_release, table->op_run = op_run;
}
