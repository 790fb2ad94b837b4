/* job.c: runs one operation on the backend: every operand in a buffer of its own between guard bands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "map.h"

#define GUARD_BYTE  0xa5
#define OUTPUT_BYTE 0xff /* NaN in every floating type, so that an element that nobody wrote shows */

/* The job's operands on the device. */
typedef struct placed {
    tn_buffer *buffer;
    unsigned char *host; /* the whole buffer */
    uint64_t bytes, begin, all;
} placed;

typedef struct run {
    tn_kit *kit;
    const tn_kit_job *job;
    placed in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS], scratch;
    placed other[TN_MAX_OPERANDS]; /* outputs of a second run, with other scalars */
    tn_kernel *kernel;
    char what[300];
} run;

uint64_t tn_kit_bytes(const tn_tensor_desc *desc)
{
    int64_t last = 0;
    if (!tn_desc_count(desc)) return 0;
    for (int32_t d = 0; d < desc->rank; d++) last += (desc->dim[d] - 1) * desc->stride[d];
    return (uint64_t)(last + 1) * tn_dtype_size(desc->dtype);
}

uint64_t tn_kit_buffer_bytes(const tn_op_desc *desc, uint32_t i, uint64_t scratch)
{
    if (i < desc->n_in) return tn_kit_bytes(&desc->in[i]);
    return i == desc->n_in ? tn_kit_bytes(desc->out) : scratch;
}

/* ---- texts ---- */

static size_t add_shape(char *text, size_t room, size_t n, const tn_tensor_desc *x)
{
    char shape[160];
    tn_shape s = {.rank = x->rank};
    memcpy(s.dim, x->dim, sizeof s.dim);
    int wrote = n < room ? snprintf(text + n, room - n, " %s%s", tn_dtype_name(x->dtype),
                                    tn_shape_text(&s, shape, sizeof shape))
                         : 0;
    n += wrote > 0 ? (size_t)wrote : 0;
    for (int32_t d = 0; d < x->rank; d++)
        if (x->dim[d] > 1 && !x->stride[d] && n < room) n += (size_t)snprintf(text + n, room - n, " (stride[%d] 0)", d);
    return n;
}

char *tn_kit_describe(const tn_op_desc *desc, char *text, size_t room)
{
    char program[120] = "";
    if (!strcmp(desc->name, "map")) tn_map_text(desc->attrs, program, sizeof program);
    if (!strcmp(desc->name, "reduce")) {
        const tn_reduce_attrs *reduce = desc->attrs;
        snprintf(program, sizeof program, "%s axes %#x", reduce->kind, reduce->axes);
    }
    size_t n = (size_t)snprintf(text, room, "%s %s%sof", desc->name, program, *program ? " " : "");
    for (uint32_t i = 0; i < desc->n_in && i < 4; i++) n = add_shape(text, room, n, &desc->in[i]);
    return text;
}

/* ---- operands ---- */

static uint64_t guard_of(const run *r)
{
    return r->kit->info.alignment > 256 ? r->kit->info.alignment : 256;
}

/* A buffer with guards; its range holds `data`, or the byte that marks what nobody wrote. */
static int place(run *r, placed *p, uint64_t bytes, uint64_t shift, const unsigned char *data)
{
    tn_kit *kit = r->kit;
    const tn_backend *b = kit->backend;
    uint64_t guard = guard_of(r);
    *p = (placed){.bytes = bytes, .begin = guard + shift, .all = bytes + shift + 2 * guard};
    p->host = malloc(p->all);
    if (!p->host) return tn_kit_expect(kit, 0, "out of memory");
    memset(p->host, GUARD_BYTE, p->all);
    if (bytes && data)
        memcpy(p->host + p->begin, data, bytes);
    else
        memset(p->host + p->begin, OUTPUT_BYTE, bytes);
    return tn_kit_ok(kit, b->buffer_create(kit->context, p->all, &p->buffer, &kit->msg), "buffer_create") &&
           tn_kit_ok(kit, b->write(kit->queue, (tn_ref){p->buffer, 0}, p->host, p->all, &kit->msg), "write");
}

static int runs_twice(const tn_kit_job *job)
{
    return job->n_scalar && !job->desc->alias;
}

static int place_output(run *r, placed *p, uint32_t i)
{
    const tn_tensor_desc *out = &r->job->desc->out[i];
    return place(r, p, tn_kit_bytes(out), r->job->shift * tn_dtype_size(out->dtype), NULL);
}

static int place_all(run *r, uint64_t scratch)
{
    const tn_kit_job *job = r->job;
    const tn_op_desc *desc = job->desc;
    for (uint32_t i = 0; i < desc->n_in; i++)
        if (!place(r, &r->in[i], tn_kit_bytes(&desc->in[i]), job->shift * tn_dtype_size(desc->in[i].dtype), job->in[i]))
            return 0;
    for (uint32_t i = 0; i < desc->n_out; i++)
        if ((!desc->alias || desc->alias[i] < 0) && !place_output(r, &r->out[i], i)) return 0;
    for (uint32_t i = 0; runs_twice(job) && i < desc->n_out; i++)
        if (!place_output(r, &r->other[i], i)) return 0;
    if (scratch && !place(r, &r->scratch, scratch, 0, NULL)) return 0;
    return tn_kit_ok(r->kit, r->kit->backend->queue_sync(r->kit->queue, &r->kit->msg), "queue_sync");
}

/* Reads a buffer back; its guards must be as they were. `same`, if any, is what the range must hold. */
static int fetch(run *r, placed *p, const char *role, uint32_t number, const unsigned char *same)
{
    tn_kit *kit = r->kit;
    unsigned char *back = malloc(p->all);
    if (!back) return tn_kit_expect(kit, 0, "out of memory");
    int fine = tn_kit_ok(kit, kit->backend->read(kit->queue, back, (tn_ref){p->buffer, 0}, p->all, &kit->msg), "read");
    fine = fine && tn_kit_ok(kit, kit->backend->queue_sync(kit->queue, &kit->msg), "queue_sync");
    for (uint64_t i = 0; fine && i < p->all; i++)
        if ((i < p->begin || i >= p->begin + p->bytes) && back[i] != GUARD_BYTE)
            fine = tn_kit_expect(kit, 0, "%s: memory at byte %lld of %s %u, which has %llu, was written", r->what,
                                 (long long)(i - p->begin), role, number, (unsigned long long)p->bytes);
    if (fine && same && p->bytes && memcmp(back + p->begin, same, p->bytes))
        fine = tn_kit_expect(kit, 0, "%s: input %u was changed", r->what, number);
    if (fine) tn_kit_expect(kit, 1, " ");
    free(p->host);
    p->host = back;
    return fine;
}

static int fetch_all(run *r)
{
    const tn_kit_job *job = r->job;
    const tn_op_desc *desc = job->desc;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        int written = 0;
        for (uint32_t o = 0; desc->alias && o < desc->n_out; o++) written |= desc->alias[o] == (int32_t)i;
        if (!fetch(r, &r->in[i], "input", i, written ? NULL : job->in[i])) return 0;
    }
    if (r->scratch.host && !fetch(r, &r->scratch, "scratch", 0, NULL)) return 0;
    for (uint32_t i = 0; i < desc->n_out; i++) {
        placed *from = desc->alias && desc->alias[i] >= 0 ? &r->in[desc->alias[i]] : &r->out[i];
        if (from == &r->out[i] && !fetch(r, from, "output", i, NULL)) return 0;
        if (from->bytes) memcpy(job->out[i], from->host + from->begin, from->bytes);
    }
    return 1;
}

/* ---- running ---- */

static int32_t launch(run *r, const placed *to, const tn_scalar *scalar)
{
    tn_kit *kit = r->kit;
    const tn_op_desc *desc = r->job->desc;
    tn_ref in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS];
    for (uint32_t i = 0; i < desc->n_in; i++) in[i] = (tn_ref){r->in[i].buffer, r->in[i].begin};
    for (uint32_t i = 0; i < desc->n_out; i++)
        out[i] = desc->alias && desc->alias[i] >= 0 ? in[desc->alias[i]] : (tn_ref){to[i].buffer, to[i].begin};
    const tn_run now = {sizeof now, in, out, {r->scratch.buffer, r->scratch.begin}, scalar, r->job->n_scalar};
    return kit->backend->op_run(kit->queue, r->kernel, &now, &kit->msg);
}

/* A run that follows at once, with other scalars and outputs, changes nothing of the first. */
static int enqueue(run *r)
{
    tn_kit *kit = r->kit;
    tn_scalar other[TN_MAX_SCALARS];
    memset(other, 0x40, sizeof other); /* 32.5, and a large whole number */
    int32_t s = launch(r, r->out, r->job->scalar);
    if (!s && runs_twice(r->job)) s = launch(r, r->other, other);
    if (!s) s = kit->backend->queue_sync(kit->queue, &kit->msg);
    return tn_kit_expect(kit, !s, "%s was accepted and fails to run: %.200s", r->what, kit->text);
}

/* The answer when asked, when asked for its needs and when told. */
static int prepare(run *r, tn_kernel_info *info)
{
    tn_kit *kit = r->kit;
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = r->job->desc;
    *kit->text = 0;
    tn_kernel_info first = {.size = sizeof first};
    int32_t asked = b->op_prepare(kit->context, desc, NULL, &first, &kit->msg);
    int spoke = *kit->text != 0;
    int32_t told = b->op_prepare(kit->context, desc, &r->kernel, info, &kit->msg);
    if (!tn_kit_expect(kit, asked == told, "%s: op_prepare answers %s when asked and %s when told: %.200s", r->what,
                       tn_status_name(asked), tn_status_name(told), kit->text))
        return TN_KIT_WRONG;
    if (told == TN_EUNSUPPORTED) {
        if (!tn_kit_expect(kit, spoke && !r->kernel, "%s is refused without a message, or with a kernel", r->what))
            return TN_KIT_WRONG;
        kit->result->checks -= 2; /* an operation that was refused was not checked */
        kit->result->refused++;
        snprintf(kit->refusal, sizeof kit->refusal, "%.150s: %.140s", r->what, kit->text);
        return TN_KIT_REFUSED;
    }
    if (!told && !tn_kit_expect(kit, first.scratch == info->scratch && first.launches == info->launches,
                                "%s: when asked it wants %llu bytes of scratch memory and %llu launches, when told "
                                "%llu and %llu",
                                r->what, (unsigned long long)first.scratch, (unsigned long long)first.launches,
                                (unsigned long long)info->scratch, (unsigned long long)info->launches))
        return TN_KIT_WRONG;
    kit->result->checks -= !told;
    return tn_kit_expect(kit, !told && r->kernel, "%s: op_prepare answers %s: %.200s", r->what, tn_status_name(told),
                         kit->text)
               ? TN_KIT_RAN
               : TN_KIT_WRONG;
}

static void give_back(run *r)
{
    const tn_backend *b = r->kit->backend;
    for (uint32_t i = 0; i < TN_MAX_OPERANDS; i++) {
        if (r->in[i].buffer) b->buffer_destroy(r->in[i].buffer);
        if (r->out[i].buffer) b->buffer_destroy(r->out[i].buffer);
        if (r->other[i].buffer) b->buffer_destroy(r->other[i].buffer);
        free(r->in[i].host), free(r->out[i].host), free(r->other[i].host);
    }
    if (r->scratch.buffer) b->buffer_destroy(r->scratch.buffer);
    free(r->scratch.host);
    if (r->kernel) b->op_release(r->kernel);
}

int tn_kit_run_job(tn_kit *kit, const tn_kit_job *job)
{
    run r = {.kit = kit, .job = job};
    tn_kernel_info info = {.size = sizeof info};
    tn_kit_describe(job->desc, r.what, sizeof r.what);
    int answer = prepare(&r, &info);
    if (answer == TN_KIT_RAN && !(place_all(&r, info.scratch) && enqueue(&r) && fetch_all(&r))) answer = TN_KIT_WRONG;
    give_back(&r);
    return answer;
}
