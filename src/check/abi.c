/* abi.c: the table, structs that are shorter and longer than the backend knows, messages, and what must be refused. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define POISON 0xdbu

/* ---- the table and its answers ---- */

static void table(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kit_expect(kit, b->size >= offsetof(tn_backend, get_ext) && b->size < 65536 && b->size % sizeof(void *) == 0,
                  "the table's size is %llu", (unsigned long long)b->size);
    tn_kit_expect(kit, b->version && strnlen(b->version, 64) < 64, "no version, or one of 64 characters and more");
    tn_kit_expect(kit, b->doc && !strchr(b->doc, '\n'), "its doc is no line");
    const void *(*get_ext)(const char *id) = b->size > offsetof(tn_backend, get_ext) ? b->get_ext : NULL;
    tn_kit_expect(kit, !get_ext || !get_ext("no.such.extension/1"), "it has an extension that does not exist");
    b->queue_destroy(NULL), b->buffer_destroy(NULL), b->event_destroy(NULL), b->op_release(NULL);
    b->context_destroy(NULL);
    tn_kit_close(kit);
}

/* The structs that a backend fills; each function asks for one. */
static int32_t ask_device(tn_kit *kit, const tn_op_desc *desc, void *to)
{
    (void)desc;
    return kit->backend->device_info(kit->target->index, to, &kit->msg);
}

static int32_t ask_queue(tn_kit *kit, const tn_op_desc *desc, void *to)
{
    (void)desc;
    return kit->backend->queue_stats(kit->queue, to, &kit->msg);
}

static int32_t ask_operation(tn_kit *kit, const tn_op_desc *desc, void *to)
{
    return kit->backend->op_prepare(kit->context, desc, NULL, to, &kit->msg);
}

static const struct answer_of {
    const char *call;
    int32_t (*ask)(tn_kit *kit, const tn_op_desc *desc, void *to);
    uint64_t least; /* bytes in version 1.0 */
} answers[] = {{"device_info", ask_device, offsetof(tn_device_info, alignment) + 8},
               {"queue_stats", ask_queue, offsetof(tn_queue_stats, bytes_read) + 8},
               {"op_prepare's info", ask_operation, offsetof(tn_kernel_info, launches) + 8}};

/* What it makes of a struct of `room` bytes between two sorts of poison: what both times is poison was not written.
 * `size` must say what was: all that the backend knows (`known`), as far as there is room. Returns `size`, or 0. */
static uint64_t check_answer(tn_kit *kit, const struct answer_of *a, const tn_op_desc *desc, uint64_t room,
                             uint64_t known)
{
    enum { POISONS = 2, WORDS = 256 };
    uint64_t answer[POISONS][WORDS], written = 0;
    for (int i = 0; i < POISONS; i++) {
        memset(answer[i], i ? ~POISON : POISON, sizeof answer[i]);
        answer[i][0] = room;
        int32_t status = a->ask(kit, desc, answer[i]);
        if (status == TN_EUNSUPPORTED || !tn_kit_ok(kit, status, a->call)) return 0;
    }
    const unsigned char *one = (unsigned char *)answer[0], *two = (unsigned char *)answer[1];
    for (uint64_t i = 0; i < sizeof answer[0]; i++)
        if (one[i] != (unsigned char)POISON || two[i] != (unsigned char)~POISON) written = i + 1;
    uint64_t size = answer[0][0], want = known && known < room ? known : room;
    tn_kit_expect(kit, written <= room, "%s: byte %llu is written, of %llu that there are", a->call,
                  (unsigned long long)written - 1, (unsigned long long)room);
    tn_kit_expect(kit, size == answer[1][0] && size == written && (known ? size == want : size >= a->least),
                  "%s: of %llu bytes %llu are written, and size says %llu", a->call, (unsigned long long)room,
                  (unsigned long long)written, (unsigned long long)size);
    return size;
}

static void sizes(tn_kit *kit)
{
    static const uint64_t cut[] = {8, 16, 24, 136, sizeof(tn_device_info), 1024};
    tn_kit_sample s;
    if (!tn_kit_open(kit) || !tn_kit_sample_make(kit, 0, &s)) return;
    for (size_t k = 0; k < sizeof answers / sizeof *answers; k++) {
        uint64_t known = check_answer(kit, &answers[k], s.job.desc, 1024, 0);
        for (size_t i = 0; known && i < sizeof cut / sizeof *cut; i++)
            check_answer(kit, &answers[k], s.job.desc, cut[i], known);
    }
    tn_kit_sample_free(&s);
    tn_kit_close(kit);
}

/* Structs of a later version: what the backend does not know of them changes nothing, or makes it refuse. */
static void longer(tn_kit *kit)
{
    if (!tn_kit_load_table(kit)) return;
    for (int i = 0; i < TN_KIT_SAMPLES && !kit->result->failed; i++) {
        tn_kit_sample s;
        tn_kit_want want;
        if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
        int32_t status = tn_kit_sample_live(kit, &s, TN_KIT_LATER);
        if (status == TN_EUNSUPPORTED) status = tn_kit_sample_live(kit, &s, TN_KIT_ZEROED);
        if (status == TN_EUNSUPPORTED && tn_kit_sample_live(kit, &s, TN_KIT_NOW) == TN_EUNSUPPORTED)
            kit->result->refused++;
        else if (tn_kit_ok(kit, status, s.job.desc->name))
            tn_kit_compare(kit, &s.job, &want, ", described by longer structs");
        tn_kit_want_free(&want);
        tn_kit_sample_free(&s);
    }
}

/* Structs of version 1.0: what came later is not there, and nobody misses it. */
static void shorter(tn_kit *kit)
{
    if (!tn_kit_load_table(kit)) return;
    for (int i = 0; i < TN_KIT_SAMPLES && !kit->result->failed; i++) {
        tn_kit_sample s;
        tn_kit_want want;
        if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
        int32_t old = tn_kit_sample_live(kit, &s, TN_KIT_OLD);
        if (old == TN_EUNSUPPORTED && tn_kit_sample_live(kit, &s, TN_KIT_NOW) == TN_EUNSUPPORTED)
            kit->result->refused++;
        else if (tn_kit_ok(kit, old, "with the structs of version 1.0 it"))
            tn_kit_compare(kit, &s.job, &want, ", described by the structs of version 1.0");
        tn_kit_want_free(&want);
        tn_kit_sample_free(&s);
    }
}

static void device(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    const tn_device_info *d = &kit->info;
    tn_device_info again = {.size = sizeof again};
    uint32_t count = 0;
    tn_kit_ok(kit, b->device_count(&count, &kit->msg), "device_count");
    tn_kit_expect(kit,
                  memchr(d->name, 0, sizeof d->name) && memchr(d->vendor, 0, sizeof d->vendor) &&
                      memchr(d->driver, 0, sizeof d->driver) && memchr(d->id, 0, sizeof d->id),
                  "a text of device_info is not closed");
    tn_kit_expect(kit, *d->name && *d->id, "the device has no name or no id");
    tn_kit_expect(kit, d->alignment && !(d->alignment & (d->alignment - 1)), "the alignment is %llu",
                  (unsigned long long)d->alignment);
    tn_kit_expect(kit, d->kind >= 1 && d->kind <= 4, "the device's kind is %u", d->kind);
    tn_kit_expect(kit, !d->memory || d->max_buffer <= d->memory, "the device has %llu bytes, and buffers of %llu",
                  (unsigned long long)d->memory, (unsigned long long)d->max_buffer);
    tn_kit_ok(kit, b->device_info(kit->target->index, &again, &kit->msg), "device_info");
    tn_kit_expect(kit, !strcmp(again.id, d->id) && !strcmp(again.name, d->name), "its id changes");
    tn_context *context = (tn_context *)(uintptr_t)8;
    tn_kit_expect(kit, b->device_info(count, &again, &kit->msg) != TN_OK, "device %u is described; there are %u", count,
                  count);
    tn_kit_expect(kit, b->context_create(count, &context, &kit->msg) != TN_OK, "device %u can be opened; there are %u",
                  count, count);
    tn_kit_expect(kit, context == (tn_context *)(uintptr_t)8, "a failed context_create writes its result");
    tn_kit_close(kit);
}

/* ---- messages ---- */

static void messages(tn_kit *kit)
{
    tn_tensor_desc x = tn_kit_dense(1, 4, 0, 0);
    tn_op_desc desc = {.size = sizeof desc, .name = "no_such_operator", .in = &x, .out = &x, .n_in = 1, .n_out = 1};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    for (uint64_t room = 0; room < 40; room++) {
        char text[64];
        memset(text, POISON, sizeof text);
        tn_msg msg = {text, room};
        tn_kit_expect(kit, b->op_prepare(kit->context, &desc, NULL, NULL, &msg) == TN_EUNSUPPORTED,
                      "an unknown operator is not TN_EUNSUPPORTED");
        for (uint64_t i = room; i < sizeof text; i++)
            if (!tn_kit_expect(kit, (unsigned char)text[i] == POISON, "a message of %llu bytes is written beyond",
                               (unsigned long long)room))
                break;
        tn_kit_expect(kit, !room || memchr(text, 0, room), "a message of %llu bytes is not closed",
                      (unsigned long long)room);
        tn_kit_expect(kit, !room || !memchr(text, '\n', room), "a message has a newline");
    }
    tn_msg none = {NULL, 0};
    b->op_prepare(kit->context, &desc, NULL, NULL, &none);
    tn_kit_expect(kit, b->op_prepare(kit->context, &desc, NULL, NULL, NULL) == TN_EUNSUPPORTED,
                  "without a message the answer is another");
    tn_kit_close(kit);
}

/* ---- what must be refused ---- */

/* The answer to a sample that was changed, which must be the same each way, and leave no kernel. */
static int32_t answer(tn_kit *kit, const tn_kit_sample *s)
{
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t asked = kit->backend->op_prepare(kit->context, s->job.desc, NULL, NULL, &kit->msg);
    int32_t told = kit->backend->op_prepare(kit->context, s->job.desc, &kernel, &info, &kit->msg);
    tn_kit_expect(kit, asked == told, "%s: asked %s, told %s", s->job.desc->name, tn_status_name(asked),
                  tn_status_name(told));
    tn_kit_expect(kit, !told == (kernel != NULL), "%s: %s, with%s a kernel", s->job.desc->name, tn_status_name(told),
                  kernel ? "" : "out");
    if (kernel) kit->backend->op_release(kernel);
    return asked;
}

static void unknown_attributes(tn_kit *kit)
{
    struct {
        unsigned char known[sizeof(tn_operation)];
        unsigned char later[64];
    } attrs;
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < TN_KIT_SAMPLES; i++) {
        tn_kit_sample s;
        if (!tn_kit_sample_make(kit, i, &s)) return;
        uint64_t size = s.operation.attrs.size;
        int32_t usual = answer(kit, &s);
        if (size && !usual) {
            memset(&attrs, 0, sizeof attrs);
            memcpy(&attrs, &s.operation.attrs, size);
            *(uint64_t *)(void *)&attrs = size + 16;
            s.operation.desc.attrs = &attrs;
            tn_kit_expect(kit, answer(kit, &s) == TN_OK, "%s: zeros beyond the attributes are refused",
                          s.job.desc->name);
            attrs.known[size + 11] = 1;
            tn_kit_expect(kit, answer(kit, &s) == TN_EUNSUPPORTED, "%s: an attribute that it does not know is ignored",
                          s.job.desc->name);
        }
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

static void unknown_parts(tn_kit *kit)
{
    tn_kit_sample s;
    if (!tn_kit_open(kit) || !tn_kit_sample_make(kit, 0, &s)) return;
    tn_operation *o = &s.operation;
    o->desc.name = "no_such_operator";
    tn_kit_expect(kit, answer(kit, &s) == TN_EUNSUPPORTED, "an unknown operator is not TN_EUNSUPPORTED");
    o->desc.name = "map", s.instr[0].op = "no_such_instruction";
    tn_kit_expect(kit, answer(kit, &s) == TN_EUNSUPPORTED, "an unknown instruction is not TN_EUNSUPPORTED");
    s.instr[0].op = "add", s.instr[0].arg[0] = 2;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an instruction may use its own result");
    s.instr[0].arg[0] = -1;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an instruction may lack an argument");
    s.instr[0].op = "scalar", s.instr[0].arg[0] = 0;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an instruction may take a scalar that is not there");
    s.instr[0].op = "add", s.instr[0].arg[0] = 0, s.out = 9;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an output may be a value that is not there");
    s.out = 3, o->in[0].dtype = 99;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an unknown element type is accepted");
    o->in[0].dtype = TN_F64;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "arguments of mixed types are accepted");
    o->in[0].dtype = TN_F32, o->in[0].dim[1] = 46;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an operand of another shape is accepted");
    o->in[0].dim[1] = 47, o->in[0].rank = TN_MAX_RANK + 1;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "a rank of 9 is accepted");
    o->in[0].rank = -1;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "a rank of -1 is accepted");
    o->in[0].rank = 2, o->out[0].stride[1] = 0;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "an output that is not dense is accepted");
    tn_kit_sample_free(&s);
    tn_kit_close(kit);
}

static void wrong_shapes(tn_kit *kit)
{
    tn_kit_sample s;
    if (!tn_kit_open(kit)) return;
    for (int i = 1; i < TN_KIT_SAMPLES; i++) {
        if (!tn_kit_sample_make(kit, i, &s)) return;
        tn_tensor_desc *y = &s.operation.out[0];
        y->dim[0]++;
        tn_kit_expect(kit, answer(kit, &s) != TN_OK, "%s into another shape is accepted", s.job.desc->name);
        y->dim[0]--;
        y->dtype = TN_U8;
        tn_kit_expect(kit, answer(kit, &s) != TN_OK, "%s of f32 into u8 is accepted", s.job.desc->name);
        tn_kit_sample_free(&s);
    }
    if (!tn_kit_sample_make(kit, 3, &s)) return;
    s.operation.desc.name = "transpose", s.operation.desc.attrs = &s.operation.attrs;
    s.operation.attrs.transpose = (tn_transpose_attrs){.size = sizeof(tn_transpose_attrs), .perm = {0, 0, 2}};
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "a permutation that repeats a dimension is accepted");
    tn_kit_sample_free(&s);
    if (!tn_kit_sample_make(kit, 2, &s)) return;
    s.operation.attrs.reduce.kind = "median";
    tn_kit_expect(kit, answer(kit, &s) == TN_EUNSUPPORTED, "an unknown kind of reduction is not TN_EUNSUPPORTED");
    s.operation.attrs.reduce.kind = "sum", s.operation.attrs.reduce.axes = 16;
    tn_kit_expect(kit, answer(kit, &s) != TN_OK, "a reduction over a dimension that is not there is accepted");
    tn_kit_sample_free(&s);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_abi[] = {
    {"abi", "table", "the table is whole; unknown extensions are not there; NULL can be destroyed", table, NULL, 0, 0},
    {"abi", "sizes", "structs of any size are filled as far as they reach, and their size says how far that was", sizes,
     NULL, 0, 0},
    {"abi", "longer", "host, description and run of a later version, with something behind what is known", longer, NULL,
     0, 0},
    {"abi", "shorter", "host and description of version 1.0", shorter, NULL, 0, 0},
    {"abi", "device", "the device's description is sane; there is no device beyond the last", device, NULL, 0, 0},
    {"abi", "messages", "messages fit into the caller's buffer", messages, NULL, 0, 0},
    {"abi", "attributes", "attributes that it does not know are refused, zeros are not", unknown_attributes, NULL, 0,
     0},
    {"abi", "unknown", "unknown operators, instructions, types and ranks are refused", unknown_parts, NULL, 0, 0},
    {"abi", "shapes", "operands that do not fit are refused", wrong_shapes, NULL, 0, 0},
    {0},
};
