/* asking.c: asking a backend for an operator, with no kernel wanted, is cheap: it looks into no cache, logs nothing,
 * keeps no memory and, with `lean`, asks for none, as writing a source or trying something on the device would. And a
 * yes is kept: a large product is prepared and right where the cache says that CLBlast's is wrong.
 * usage: asking FILE.so [lean] [KEY=VALUE ...] */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_samples.h"

static struct {
    long allocations, live, cache, lines;
} used;
static char **options;

static void *host_allocate(void *self, uint64_t bytes, uint64_t alignment)
{
    void *memory = NULL;
    (void)self;
    if (posix_memalign(&memory, alignment < 8 ? 8 : (size_t)alignment, bytes ? (size_t)bytes : 1)) return NULL;
    used.allocations++, used.live++;
    return memory;
}

static void host_release(void *self, void *memory)
{
    (void)self;
    used.live -= memory != NULL;
    free(memory);
}

static void host_log(void *self, int32_t level, const char *line)
{
    (void)self, (void)level, (void)line;
    used.lines++;
}

static const char *host_option(void *self, const char *backend, const char *key)
{
    (void)self, (void)backend;
    const size_t n = strlen(key);
    for (char **o = options; *o; o++)
        if (!strncmp(*o, key, n) && (*o)[n] == '=') return *o + n + 1;
    return NULL;
}

static int64_t host_cache_get(void *self, const char *key, void *data, uint64_t capacity)
{
    (void)self;
    used.cache++;
    if (strncmp(key, "clblast-", 8)) return -1;
    if (capacity) *(char *)data = 'w'; /* a product of this shape was wrong */
    return 1;
}

static void host_cache_put(void *self, const char *key, const void *data, uint64_t bytes)
{
    (void)self, (void)key, (void)data, (void)bytes;
    used.cache++;
}

static void host_parallel_for(void *self, int64_t n, void (*body)(void *, int64_t, int64_t), void *arg)
{
    (void)self;
    body(arg, 0, n);
}

static const tn_host host = {sizeof host, NULL,           host_allocate,  host_release,      host_log,
                             host_option, host_cache_get, host_cache_put, host_parallel_for, NULL};

/* 0 if all is well. */
static int ask(const tn_backend *b, tn_context *context, const tn_op_desc *desc, int lean)
{
    char text[200] = "";
    tn_msg msg = {text, sizeof text};
    const long live = used.live, allocations = used.allocations;
    const int32_t status = b->op_prepare(context, desc, NULL, NULL, &msg);
    if (status && status != TN_EUNSUPPORTED) return printf("%s: status %d: %s\n", desc->name, status, text);
    if (used.cache || used.lines) return printf("%s: the cache is looked into, or a line logged\n", desc->name);
    if (used.live != live) return printf("%s: %ld blocks are kept\n", desc->name, used.live - live);
    if (lean && used.allocations != allocations)
        return printf("%s: %ld blocks of memory\n", desc->name, used.allocations - allocations);
    return 0;
}

/* A product that is large enough for a library. */
static void make_large(sample *s)
{
    for (int i = 0; i < 4; i++) s->operand[i].dim[0] = 1, s->operand[i].dim[1] = s->operand[i].dim[2] = 256;
    for (int i = 0; i < 4; i++) sample_dense(&s->operand[i]);
}

/* Runs the product of ones, 256 deep, plus a third operand of ones: 0 if all of it is 257. */
static int run_large(const tn_backend *b, tn_context *context, sample *s)
{
    enum { COUNT = 256 * 256 };
    static float ones[COUNT], result[COUNT];
    char text[200] = "";
    tn_msg msg = {text, sizeof text};
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    tn_queue *queue = NULL;
    tn_ref ref[8] = {{NULL, 0}};
    const float one = 1;
    int32_t status = b->op_prepare(context, &s->desc, &kernel, &info, &msg);
    if (!status) status = b->queue_create(context, &queue, &msg);
    for (int i = 0; i < 5 && !status; i++) {
        status = b->buffer_create(context, i < 4 ? sizeof ones : info.scratch, &ref[i].buffer, &msg);
        if (!status && i < 3) status = b->fill(queue, ref[i], sizeof ones, &one, sizeof one, &msg);
    }
    const tn_run run = {sizeof run, ref, ref + 3, ref[4], NULL, 0};
    if (!status) status = b->op_run(queue, kernel, &run, &msg);
    if (!status) status = b->read(queue, result, ref[3], sizeof result, &msg);
    if (!status) status = b->queue_sync(queue, &msg);
    int wrong = 0;
    for (int i = 0; i < COUNT && !status; i++) wrong += result[i] != 257;
    b->queue_destroy(queue);
    b->op_release(kernel);
    for (int i = 0; i < 5; i++) b->buffer_destroy(ref[i].buffer);
    if (status || wrong) printf("a large product: status %d (%s), %d elements are wrong\n", status, text, wrong);
    return status || wrong;
}

int main(int argc, char **argv)
{
    const int lean = argc > 2 && !strcmp(argv[2], "lean");
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) return printf("%s\n", argc > 1 ? dlerror() : "which backend?"), 1;
    tn_backend_query_fn *query = (tn_backend_query_fn *)dlsym(library, "tn_backend_query");
    const tn_backend *b = query(TN_ABI_MAJOR, TN_ABI_MINOR);
    tn_context *context = NULL;
    uint32_t devices = 0;
    int failed = 0;
    options = argv + 2 + lean;
    if (b->init(&host, NULL) || b->device_count(&devices, NULL) || !devices) return 77;
    if (b->context_create(0, &context, NULL)) return puts("no context"), 1;
    memset(&used, 0, sizeof used);
    for (int i = 0; i < SAMPLES && !failed; i++) {
        sample s;
        sample_make(&s, i);
        failed = ask(b, context, &s.desc, lean);
        if (failed || strcmp(s.desc.name, "matmul")) continue;
        make_large(&s);
        failed = ask(b, context, &s.desc, lean) || run_large(b, context, &s);
        memset(&used, 0, sizeof used);
    }
    b->context_destroy(context);
    b->deinit();
    return failed != 0;
}
