/* check.c: descriptions of operators with some fields changed at random. tn_check_op must answer the same twice, and
 * what it passes must be what it promises: the reference prepares it and, if it is small, runs it on operands of just
 * the bytes that the descriptions cover, so that the sanitizers see the rest. A backend in a file may decline it, and
 * must refuse what the check refuses. The same seed does the same: fuzz_check [DESCRIPTIONS [SEED [FILE.so [ask]]]];
 * with `ask` nothing is prepared. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_samples.h"
#include "philox.h"
#include "reference.h"
#include "tenon/backend_check.h"

#define MOST         20000                /* elements of an operand, of those that are run */
#define MOST_SCRATCH ((uint64_t)16 << 20) /* bytes */

static uint64_t seed = 1, drawn;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(tn_philox_uniform(seed, 0, 0, drawn++) * n);
}

/* ---- changes ---- */

static int64_t telling(void)
{
    static const int64_t numbers[] = {
        -1, 0, 1, 2, 3, 4, 5, 7, 64, 1 << 20, INT32_MAX, (int64_t)1 << 32, (int64_t)1 << 53, INT64_MAX, INT64_MIN};
    return numbers[below(sizeof numbers / sizeof *numbers)];
}

/* Any 32 bits of the attributes, but for pointers and the number of instructions: no check can tell how long an array
 * is. */
static void change_attrs(sample *s)
{
    static const struct {
        const char *name;
        uint32_t begin, end; /* bytes that stay */
    } fixed[] = {{"map", 8, 28}, {"reduce", 8, 24}, {"matmul", 8, 16}, {"conv2d", 8, 16}};
    const uint32_t words = (uint32_t)s->attrs.size / 4, at = words > 2 ? 4 * below(words) : 0;
    const int64_t number = telling();
    int stays = at < 8;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        stays |= !strcmp(s->desc.name, fixed[i].name) && at >= fixed[i].begin && at < fixed[i].end;
    if (!stays) memcpy(s->attrs.room + at, &number, 4);
}

static void change_instr(sample *s)
{
    tn_map_instr *instr = &s->instr[below(4)];
    switch (below(4)) {
    case 0:
        instr->op = sample_rows[below(SAMPLES)].name;
        break;
    case 1:
        instr->dtype = (int32_t)below(8);
        break;
    default:
        instr->arg[below(4)] = (int32_t)below(8) - 1;
    }
}

static void change(sample *s)
{
    tn_tensor_desc *x = &s->operand[below(s->desc.n_in + s->desc.n_out)];
    switch (below(9)) {
    case 0:
        x->dtype = (int32_t)below(8);
        break;
    case 1:
        x->rank = (int32_t)below(11) - 1;
        break;
    case 2:
    case 3:
        x->dim[below(4)] = telling();
        break;
    case 4:
        x->stride[below(4)] = telling();
        break;
    case 5:
        s->alias[0] = (int32_t)below(4) - 2;
        break;
    case 6:
        change_attrs(s);
        break;
    case 7:
        change_instr(s);
        break;
    default:
        for (uint32_t i = 0; i < s->desc.n_in + s->desc.n_out; i++) sample_dense(&s->operand[i]);
    }
}

/* ---- what was passed ---- */

static const tn_backend *backend;
static tn_context *context;
static tn_queue *queue;
static int only_ask;

static int is_small(const sample *s)
{
    int small = !strstr(s->desc.name, "pool") || (uint64_t)s->attrs.pool.window[0] * s->attrs.pool.window[1] < 10000;
    for (uint32_t i = 0; i < s->desc.n_in + s->desc.n_out; i++) small &= tn_desc_count(&s->operand[i]) <= MOST;
    return small;
}

static int run(sample *s, tn_kernel *kernel, const tn_kernel_info *info, tn_msg *msg)
{
    const uint32_t n = s->desc.n_in + s->desc.n_out;
    tn_buffer *buffer[8] = {NULL};
    tn_ref ref[8] = {{NULL, 0}};
    const tn_scalar scalar[TN_MAX_SCALARS] = {{.f = 0.5}};
    int32_t status = TN_OK;
    for (uint32_t i = 0; i <= n && !status; i++) {
        const uint64_t bytes = i < n ? tn_desc_extent(&s->operand[i]) : info->scratch, zero = 0;
        status = backend->buffer_create(context, bytes, &buffer[i], msg);
        ref[i].buffer = buffer[i];
        if (!status) status = backend->fill(queue, ref[i], bytes, &zero, 1, msg);
    }
    const tn_run run = {sizeof run, ref, ref + s->desc.n_in, ref[n], scalar, TN_MAX_SCALARS};
    if (!status) status = backend->op_run(queue, kernel, &run, msg);
    for (uint32_t i = 0; i <= n; i++) backend->buffer_destroy(buffer[i]);
    return status;
}

/* What the check says of the description, and the backend: 0 if they agree. */
static int try(sample *s, long *passed, long *ran)
{
    char text[200] = "", other[200] = "";
    tn_msg msg = {text, sizeof text}, again = {other, sizeof other};
    tn_op_facts facts;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    const uint32_t takes = strcmp(backend->id, "cpu") ? TN_TAKES_CHANNELS_LAST | TN_TAKES_STORED : 0;
    const int32_t status = tn_check_op_with(&s->desc, takes, &facts, &msg);
    if (status != tn_check_op_with(&s->desc, takes, &facts, &again) || strcmp(text, other))
        return puts("two answers"), 1;
    if (!status == (*text != 0) || strchr(text, '\n')) return printf("status %d with '%s'\n", status, text), 1;
    const int32_t asked = backend->op_prepare(context, &s->desc, NULL, NULL, &again);
    const int declined = !status && asked == TN_EUNSUPPORTED && backend != tn_reference_backend();
    if (asked != status && !declined)
        return printf("the check says %d (%s), the backend %d (%s)\n", status, text, asked, other), 1;
    *passed += !asked;
    if (asked || only_ask || !is_small(s)) return 0;
    int32_t s2 = backend->op_prepare(context, &s->desc, &kernel, &info, &again);
    if (!s2 && info.scratch <= MOST_SCRATCH) s2 = run(s, kernel, &info, &again), ++*ran;
    backend->op_release(kernel);
    if (s2) printf("the backend can't do what it promised: %s\n", other);
    return s2 != 0;
}

/* ---- a backend in a file ---- */

static void *host_allocate(void *self, uint64_t bytes, uint64_t alignment)
{
    void *memory = NULL;
    (void)self;
    return posix_memalign(&memory, alignment < 8 ? 8 : (size_t)alignment, bytes ? (size_t)bytes : 1) ? NULL : memory;
}

static void host_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void host_log(void *self, int32_t level, const char *line)
{
    (void)self, (void)level, (void)line;
}

static const char *host_option(void *self, const char *id, const char *key)
{
    (void)self, (void)id;
    return strcmp(key, "threads") ? NULL : "2";
}

static void host_parallel_for(void *self, int64_t n, void (*body)(void *, int64_t, int64_t), void *arg)
{
    (void)self;
    body(arg, 0, n);
}

static const tn_host host = {sizeof host, NULL, host_allocate, host_release,      host_log,
                             host_option, NULL, NULL,          host_parallel_for, NULL};

static const tn_backend *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    tn_backend_query_fn *query = library ? (tn_backend_query_fn *)dlsym(library, "tn_backend_query") : NULL;
    const tn_backend *found = query ? query(TN_ABI_MAJOR, TN_ABI_MINOR) : NULL;
    if (!found) printf("no backend in %s\n", path);
    return found && !found->init(&host, NULL) ? found : NULL;
}

int main(int argc, char **argv)
{
    const long count = argc > 1 ? atol(argv[1]) : 200000;
    if (argc > 2) seed = strtoull(argv[2], NULL, 10);
    long passed = 0, ran = 0;
    backend = argc > 3 ? load(argv[3]) : tn_reference_backend();
    only_ask = argc > 4;
    uint32_t devices = 0;
    if (!backend || backend->device_count(&devices, NULL) || !devices) return 77;
    if (backend->context_create(0, &context, NULL) || backend->queue_create(context, &queue, NULL)) return 1;
    for (long i = 0; i < count; i++) {
        static sample s;
        const uint64_t before = drawn;
        sample_make(&s, (int)below(SAMPLES));
        for (uint32_t k = below(5); k; k--) change(&s);
        if (!try(&s, &passed, &ran)) continue;
        printf("description %ld (%s), numbers from %llu on of seed %llu\n", i, s.desc.name, (unsigned long long)before,
               (unsigned long long)seed);
        return 1;
    }
    backend->queue_destroy(queue);
    backend->context_destroy(context);
    printf("%ld descriptions, %ld passed, %ld of them run, seed %llu\n", count, passed, ran, (unsigned long long)seed);
    return 0;
}
