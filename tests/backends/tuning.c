/* tuning.c: the reference as another backend that has 16 kernels for each matrix product, "way a=1 b=1" to "way a=4
 * b=4", which take times of its own: the fastest, a=3 b=2, is wrong in its last element, then comes a=3 b=3; a=2 b=2
 * can't be prepared, and a=4 b=1 fails when it runs. Untuned it takes a=1 b=1.
 *
 * From its environment: TUNING_DIES, the way by which the process ends; TUNING_DEVICE and TUNING_DRIVER, whose it is;
 * TUNING_LIES, whether a=3 b=3 is wrong as well; TUNING_FORGETS, the way that leaves the last element as it was;
 * TUNING_STARVES, the one for which there is no memory; TUNING_COUNT, a file that gets a byte for each way that is run;
 * TUNING_SLOW, how many times as long each is said to take; TUNING_SLEEPS, milliseconds that each takes in fact;
 * TUNING_BREAKS, whether there are ways besides whose names are no lines; TUNING_TARRIES and TUNING_TWISTS, words of
 * "conv2d_weight last" or "conv2d usual", say: convolutions whose images have their channels there that take 10 ms in
 * fact, or are far off. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reference_internal.h"
#include "tenon/backend_ext.h"

enum { SIDE = 4, CHOICES = 64, SPANS = 64 };

struct tn_kernel {
    tn_kernel *real;
    uint64_t last, bytes; /* where the last element of output 0 lies, and its size */
    char way[TN_TUNE_CHOICE];
    char convolution[32]; /* which it is, and in which layout; else "" */
    int is_tuned;
};

static const tn_backend *real;
static tn_backend table;
static struct {
    char key[TN_TUNE_KEY], way[TN_TUNE_CHOICE];
} chosen_ways[CHOICES];
static int choices;

static int32_t say(tn_msg *msg, int32_t status, const char *line)
{
    if (msg && msg->text && msg->capacity) snprintf(msg->text, msg->capacity, "%s", line);
    return status;
}

static int is_named(const char *variable, const char *way)
{
    const char *value = getenv(variable);
    return value && !strcmp(value, way);
}

static uint64_t number_in(const char *variable, uint64_t otherwise)
{
    const char *value = getenv(variable);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

/* ---- kernels ---- */

static int32_t make_key(tn_context *context, const tn_op_desc *desc, char *text, uint64_t room, tn_msg *msg)
{
    (void)context;
    if (strcmp(desc->name, "matmul")) return say(msg, TN_EUNSUPPORTED, "one way alone");
    const tn_matmul_attrs *at = desc->attrs;
    const int64_t *a = desc->in[0].dim, *y = desc->out[0].dim;
    snprintf(text, room, "matmul %lld %lldx%lld by %lldx%lld %u%u%s", (long long)a[0], (long long)a[1], (long long)a[2],
             (long long)y[1], (long long)y[2], at->trans_a, at->trans_b, at->epilogue ? " +" : "");
    return TN_OK;
}

static void name_convolution(const tn_op_desc *desc, char *text, size_t bytes)
{
    if (strncmp(desc->name, "conv2d", strlen("conv2d"))) return;
    const tn_conv_attrs *at = desc->attrs;
    snprintf(text, bytes, "%s %s", desc->name, at->channels_last ? "last" : "usual");
}

static int is_such(const char *variable, const char *convolution)
{
    const char *words = getenv(variable);
    return words && *words && strstr(convolution, words);
}

static int32_t prepare_by(tn_context *context, const tn_op_desc *desc, const char *way, tn_kernel **kernel,
                          tn_kernel_info *info, tn_msg *msg)
{
    tn_kernel *made = kernel ? calloc(1, sizeof *made) : NULL;
    if (way && !strcmp(way, "way a=2 b=2")) return free(made), say(msg, TN_EUNSUPPORTED, "not that way");
    int32_t s = real->op_prepare(context, desc, made ? &made->real : NULL, info, msg);
    if (s || !made) return free(made), s;
    const uint64_t size = tn_dtype_size(desc->out[0].dtype), all = tn_reference_extent(&desc->out[0]);
    made->bytes = all ? size : 0;
    made->last = all ? all - size : 0;
    name_convolution(desc, made->convolution, sizeof made->convolution);
    if (way || !strcmp(desc->name, "matmul")) snprintf(made->way, sizeof made->way, "%s", way ? way : "way a=1 b=1");
    *kernel = made;
    return TN_OK;
}

static int32_t op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg)
{
    char key[TN_TUNE_KEY];
    const char *way = NULL;
    if (desc->name && desc->attrs && desc->in && desc->out && !desc->keeps && !desc->precision && kernel &&
        !make_key(context, desc, key, sizeof key, NULL))
        for (int i = 0; i < choices; i++)
            if (!strcmp(chosen_ways[i].key, key) && *chosen_ways[i].way) way = chosen_ways[i].way;
    int32_t s = prepare_by(context, desc, way, kernel, info, msg);
    if (!s && kernel) (*kernel)->is_tuned = way != NULL;
    return s;
}

static void op_release(tn_kernel *kernel)
{
    if (kernel) real->op_release(kernel->real);
    free(kernel);
}

static void count_run(void)
{
    const char *path = getenv("TUNING_COUNT");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) fputc('.', file), fclose(file);
}

/* ---- runs, and their times ---- */

static tn_span spans[SPANS];
static uint32_t n_spans, room;
static uint64_t number, clock_now;

static void add_span(const tn_kernel *kernel)
{
    static const uint64_t of_a[] = {800, 200, 0, 200}, of_b[] = {200, 0, 100, 400};
    int a = 1, b = 1;
    sscanf(kernel->way, "way a=%d b=%d", &a, &b);
    const uint64_t begin = clock_now;
    clock_now += (1000 + of_a[a - 1] + of_b[b - 1]) * number_in("TUNING_SLOW", 1);
    if (n_spans < room) spans[n_spans++] = (tn_span){begin, clock_now, number};
    number++;
}

static void spoil(const tn_kernel *kernel, const tn_run *run, float by)
{
    float *last = (float *)(void *)(run->out[0].buffer->data + run->out[0].offset + kernel->last);
    if (kernel->bytes == sizeof *last) *last += *last * by + by;
}

static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    const int tarries = is_such("TUNING_TARRIES", kernel->convolution);
    const struct timespec pause = {0, (long)number_in("TUNING_SLEEPS", tarries ? 10 : 0) * 1000000};
    if (*kernel->way) count_run();
    if (pause.tv_nsec) nanosleep(&pause, NULL);
    if (is_named("TUNING_DIES", kernel->way)) raise(SIGKILL);
    if (!strcmp(kernel->way, "way a=4 b=1")) return say(msg, TN_EDEVICE, "the device is upset");
    if (is_named("TUNING_STARVES", kernel->way)) return say(msg, TN_ENOMEM, "the device is full");
    unsigned char before[16], *last = before;
    if (kernel->bytes) last = run->out[0].buffer->data + run->out[0].offset + kernel->last;
    memmove(before, last, kernel->bytes);
    int32_t s = real->op_run(queue, kernel->real, run, msg);
    if (!s && is_named("TUNING_FORGETS", kernel->way)) memcpy(last, before, kernel->bytes);
    if (!s && (!strcmp(kernel->way, "way a=3 b=2") || is_named("TUNING_LIES", kernel->way)))
        spoil(kernel, run, 0x1p-10f);
    if (!s && is_such("TUNING_TWISTS", kernel->convolution)) spoil(kernel, run, 1000);
    if (!s) add_span(kernel);
    return s;
}

static int32_t spans_record(tn_queue *queue, uint32_t capacity, tn_msg *msg)
{
    (void)queue, (void)msg;
    room = capacity < SPANS ? capacity : SPANS, n_spans = 0, number = 0;
    return TN_OK;
}

static int32_t spans_take(tn_queue *queue, tn_span *span, uint32_t capacity, uint32_t *count, tn_msg *msg)
{
    (void)queue, (void)msg;
    *count = n_spans < capacity ? n_spans : capacity;
    memcpy(span, spans, *count * sizeof *span);
    n_spans = 0;
    return TN_OK;
}

static const tn_ext_observe observe = {sizeof observe, spans_record, spans_take};

/* ---- what there is to choose from ---- */

static int32_t identity(tn_context *context, tn_tune_identity *of, tn_msg *msg)
{
    (void)context, (void)msg;
    const char *device = getenv("TUNING_DEVICE"), *driver = getenv("TUNING_DRIVER");
    snprintf(of->device, sizeof of->device, "%s", device ? device : "a device of the tests");
    snprintf(of->driver, sizeof of->driver, "%s", driver ? driver : "its first driver");
    return TN_OK;
}

static int32_t candidates(tn_context *context, const tn_op_desc *desc, void (*found)(void *arg, const char *choice),
                          void *arg, tn_msg *msg)
{
    char way[TN_TUNE_CHOICE];
    (void)context, (void)desc, (void)msg;
    if (getenv("TUNING_BREAKS")) found(arg, "way a=3\nb=3"), found(arg, "");
    for (int i = 0; i < SIDE * SIDE; i++) {
        snprintf(way, sizeof way, "way a=%d b=%d", i / SIDE + 1, i % SIDE + 1);
        found(arg, way);
    }
    return TN_OK;
}

static int32_t choose(tn_context *context, const char *key, const char *choice, tn_msg *msg)
{
    int a, b, i = 0;
    (void)context;
    if (choice && sscanf(choice, "way a=%d b=%d", &a, &b) != 2) return say(msg, TN_EINVAL, "there is no such way");
    while (i < choices && strcmp(chosen_ways[i].key, key)) i++;
    if (i == CHOICES) return TN_ENOMEM;
    if (i == choices) snprintf(chosen_ways[choices++].key, TN_TUNE_KEY, "%s", key);
    snprintf(chosen_ways[i].way, TN_TUNE_CHOICE, "%s", choice ? choice : "");
    return TN_OK;
}

static int32_t chosen(tn_kernel *kernel, char *text, uint64_t bytes, tn_msg *msg)
{
    (void)msg;
    snprintf(text, bytes, "%s%s", kernel->way, kernel->is_tuned ? ", tuned" : "");
    return TN_OK;
}

static const tn_ext_tune tune = {sizeof tune, identity, make_key, candidates, prepare_by, choose, chosen};

static const void *get_ext(const char *id)
{
    if (!strcmp(id, TN_EXT_TUNE)) return &tune;
    return strcmp(id, TN_EXT_OBSERVE) ? NULL : &observe;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t s = real->device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "tuning");
    if (!s) tn_answer(info, &mine, sizeof mine);
    return s;
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_minor;
    real = tn_reference_backend();
    table = *real;
    table.id = "tuning";
    table.device_info = device_info, table.get_ext = get_ext;
    table.op_prepare = op_prepare, table.op_release = op_release, table.op_run = op_run;
    return host_major == TN_ABI_MAJOR ? &table : NULL;
}
