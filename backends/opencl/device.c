/* device.c: the devices of all platforms, and contexts. The list is made once and kept until deinit. */
#include "../system.h"
#include "team.h"
#include "tile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct device {
    cl_platform_id platform;
    cl_device_id id;
    char name[128], vendor[64], platform_name[64], driver[128];
    uint32_t ordinal; /* among the devices of the same name before it */
    int is_pocl;
    cl_context kept; /* of PoCL, whose compiler lasts as long, and takes half a second to begin */
} device;

static struct {
    pthread_mutex_t lock;
    int listed;
    uint32_t count;
    device *list;
} devices = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- queries ----------------------------------------------------------------------------------------------------- */

static void trim(char *text)
{
    size_t skip = strspn(text, " "), length;
    memmove(text, text + skip, strlen(text + skip) + 1);
    for (length = strlen(text); length && text[length - 1] == ' '; length--) text[length - 1] = 0;
}

/* Questions to a device: the first that fails is kept, and the answers from there on are empty. */
typedef struct query {
    cl_device_id id;
    cl_platform_id platform;
    int32_t status;
    tn_msg *msg;
} query;

static cl_int get_info(const query *q, int of_platform, cl_uint what, size_t bytes, void *to, size_t *needed)
{
    return of_platform ? clGetPlatformInfo(q->platform, what, bytes, to, needed)
                       : clGetDeviceInfo(q->id, what, bytes, to, needed);
}

/* All of the text, which the caller releases; NULL: the question failed. */
static char *ask_text(query *q, int of_platform, cl_uint what)
{
    size_t bytes = 0;
    char *text = NULL;
    if (q->status) return NULL;
    cl_int code = get_info(q, of_platform, what, 0, NULL, &bytes);
    if (!code && !(text = ocl_alloc(bytes + 1))) q->status = ocl_fail(q->msg, TN_ENOMEM, "out of memory for a text");
    if (text && bytes) code = get_info(q, of_platform, what, bytes, text, NULL);
    if (code) q->status = ocl_check(q->msg, code, of_platform ? "clGetPlatformInfo" : "clGetDeviceInfo");
    if (!q->status) return text;
    ocl_free(text);
    return NULL;
}

/* As much of it as fits, without spaces around. */
static void copy_text(query *q, int of_platform, cl_uint what, char *to, size_t capacity)
{
    char *text = ask_text(q, of_platform, what);
    snprintf(to, capacity, "%s", text ? text : "");
    ocl_free(text);
    trim(to);
}

static void device_text(query *q, cl_device_info what, char *to, size_t capacity)
{
    copy_text(q, 0, what, to, capacity);
}

static void platform_text(query *q, cl_platform_info what, char *to, size_t capacity)
{
    copy_text(q, 1, what, to, capacity);
}

/* A number that the driver may give in fewer bytes than eight. */
static uint64_t device_number(query *q, cl_device_info what)
{
    uint64_t value = 0;
    size_t bytes = 0;
    if (q->status) return 0;
    cl_int code = clGetDeviceInfo(q->id, what, 0, NULL, &bytes);
    if (!code && bytes > sizeof value) code = CL_INVALID_VALUE;
    if (!code) code = clGetDeviceInfo(q->id, what, bytes, &value, NULL);
    q->status = ocl_check(q->msg, code, "clGetDeviceInfo");
    return code ? 0 : value;
}

/* Of what not every device knows. */
static uint64_t optional_number(query *q, cl_device_info what)
{
    size_t bytes = 0;
    return clGetDeviceInfo(q->id, what, 0, NULL, &bytes) == CL_INVALID_VALUE ? 0 : device_number(q, what);
}

static int device_has(query *q, const char *extension)
{
    const size_t length = strlen(extension);
    int found = 0;
    char *all = ask_text(q, 0, CL_DEVICE_EXTENSIONS);
    for (char *at = all; at && !found && (at = strstr(at, extension)); at += length)
        found = (at == all || at[-1] == ' ') && (!at[length] || at[length] == ' ');
    ocl_free(all);
    return found;
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static int contains(const char *text, const char *part)
{
    if (!part) return 1;
    for (size_t length = strlen(part); strlen(text) >= length; text++)
        if (!strncasecmp(text, part, length)) return 1;
    return 0;
}

static void describe(device *d, query *q)
{
    char version[64];
    d->platform = q->platform;
    d->id = q->id;
    device_text(q, CL_DEVICE_NAME, d->name, sizeof d->name);
    device_text(q, CL_DEVICE_VENDOR, d->vendor, sizeof d->vendor);
    device_text(q, CL_DRIVER_VERSION, version, sizeof version - 1);
    platform_text(q, CL_PLATFORM_NAME, d->platform_name, sizeof d->platform_name);
    snprintf(d->driver, sizeof d->driver, "%.60s %.60s", d->platform_name, version);
    d->is_pocl = !strcmp(d->platform_name, "Portable Computing Language");
    for (device *before = devices.list; before < d; before++)
        d->ordinal += !strcmp(before->name, d->name) && !strcmp(before->platform_name, d->platform_name);
}

/* A driver or a device that is broken, or whose hardware is not there, may fail in ways of its own: others are listed
 * all the same. But where memory is short nothing may be missing. */
static int32_t leave_out(const char *culprit, int32_t status, const char *why, tn_msg *msg)
{
    char line[400];
    if (status == TN_ENOMEM) return ocl_fail(msg, status, "%s", why);
    snprintf(line, sizeof line, "%s left out: %s", culprit, why);
    if (ocl_host->log) ocl_host->log(ocl_host->self, TN_LOG_WARNING, line);
    return TN_OK;
}

/* Appends a platform's device number `number`, for which there is room, if it can compile OpenCL C. */
static int32_t list_device(cl_platform_id platform, const char *platform_name, cl_device_id id, cl_uint number,
                           tn_msg *msg)
{
    char why[160] = "", culprit[200];
    query q = {.platform = platform, .id = id, .msg = &(tn_msg){why, sizeof why}};
    device *d = &devices.list[devices.count];
    int compiles = device_number(&q, CL_DEVICE_AVAILABLE) && device_number(&q, CL_DEVICE_COMPILER_AVAILABLE) &&
                   device_number(&q, CL_DEVICE_ENDIAN_LITTLE);
    memset(d, 0, sizeof *d);
    if (compiles) describe(d, &q);
    snprintf(culprit, sizeof culprit, "device %u of platform '%s'", number, platform_name);
    if (q.status) return leave_out(culprit, q.status, why, msg);
    devices.count += compiles;
    return TN_OK;
}

static int32_t make_room(cl_uint more, tn_msg *msg)
{
    device *longer = ocl_alloc((devices.count + more) * sizeof *longer);
    if (!longer) return ocl_fail(msg, TN_ENOMEM, "out of memory for the list of devices");
    if (devices.list) memcpy(longer, devices.list, devices.count * sizeof *longer);
    ocl_free(devices.list);
    devices.list = longer;
    return TN_OK;
}

static int32_t list_platform(cl_platform_id platform, const char *name, tn_msg *msg)
{
    cl_uint n = 0;
    cl_device_id ids[64];
    char why[160] = "", culprit[200];
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 64, ids, &n);
    if (code == CL_DEVICE_NOT_FOUND || (!code && !n)) return TN_OK;
    int32_t s = ocl_check(&(tn_msg){why, sizeof why}, code, "clGetDeviceIDs");
    snprintf(culprit, sizeof culprit, "platform '%s'", name);
    if (s) return leave_out(culprit, s, why, msg);
    if (n > 64) n = 64;
    s = make_room(n, msg);
    for (cl_uint i = 0; i < n && !s; i++) s = list_device(platform, name, ids[i], i, msg);
    return s;
}

/* Those whose name has the option's text in it. */
static int32_t list_platforms(const cl_platform_id *platforms, cl_uint n, tn_msg *msg)
{
    const char *wanted = ocl_option("platform");
    char why[160], culprit[64], name[128] = "";
    int32_t s = TN_OK;
    int fits = 0;
    for (cl_uint i = 0; i < n && !s; i++) {
        query q = {.platform = platforms[i], .msg = &(tn_msg){why, sizeof why}};
        platform_text(&q, CL_PLATFORM_NAME, name, sizeof name);
        snprintf(culprit, sizeof culprit, "platform %u", i);
        if (q.status)
            s = leave_out(culprit, q.status, why, msg);
        else if (contains(name, wanted))
            fits = 1, s = list_platform(platforms[i], name, msg);
    }
    if (s || !wanted || !n || fits) return s;
    return ocl_fail(msg, TN_EINVAL, "option opencl.platform: no platform has '%s' in its name; the last is '%s'",
                    wanted, name);
}

#define NO_PLATFORM (-1001) /* the loader found no driver: CL_PLATFORM_NOT_FOUND_KHR */

static void forget_devices(void)
{
    for (uint32_t i = 0; i < devices.count; i++)
        if (devices.list[i].kept) clReleaseContext(devices.list[i].kept);
    ocl_free(devices.list);
    devices.list = NULL;
    devices.count = 0;
    devices.listed = 0;
}

static int32_t list_devices(tn_msg *msg)
{
    cl_uint n = 0;
    cl_platform_id platforms[32];
    if (devices.listed) return TN_OK;
    cl_int code = clGetPlatformIDs(32, platforms, &n);
    int32_t s = code == NO_PLATFORM ? TN_OK : ocl_check(msg, code, "clGetPlatformIDs");
    if (code) n = 0;
    if (!s) s = list_platforms(platforms, n < 32 ? n : 32, msg);
    if (s) forget_devices();
    devices.listed = !s;
    if (!s && !n) ocl_fail(msg, TN_OK, "no OpenCL driver is installed");
    return s;
}

void ocl_devices_release(void)
{
    pthread_mutex_lock(&devices.lock);
    forget_devices();
    pthread_mutex_unlock(&devices.lock);
}

int32_t ocl_device_count(uint32_t *count, tn_msg *msg)
{
    pthread_mutex_lock(&devices.lock);
    int32_t s = list_devices(msg);
    if (!s) *count = devices.count;
    pthread_mutex_unlock(&devices.lock);
    return s;
}

/* Device number `number`, copied. */
static int32_t device_get(uint32_t number, device *copy, tn_msg *msg)
{
    pthread_mutex_lock(&devices.lock);
    int32_t s = list_devices(msg);
    if (!s && number >= devices.count)
        s = ocl_fail(msg, TN_EMISSING, "opencl:%u: there are %u OpenCL devices", number, devices.count);
    if (!s) *copy = devices.list[number];
    pthread_mutex_unlock(&devices.lock);
    return s;
}

int32_t ocl_device_id(uint32_t number, cl_device_id *id, tn_msg *msg)
{
    device d;
    int32_t s = device_get(number, &d, msg);
    if (!s) *id = d.id;
    return s;
}

static uint64_t device_alignment(query *q)
{
    uint64_t alignment = 64, needed = device_number(q, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    while (alignment < needed && alignment < 4096) alignment *= 2;
    return alignment;
}

#define PARAMETER_BYTES 1024 /* what every OpenCL device takes */

static uint64_t device_parameter_bytes(query *q)
{
    uint64_t bytes = device_number(q, CL_DEVICE_MAX_PARAMETER_SIZE);
    return bytes > PARAMETER_BYTES ? bytes : PARAMETER_BYTES;
}

/* A kernel has a pointer, an offset and most often two strides for each operand, and some arguments of its own. */
static uint32_t device_max_out(query *q)
{
    uint64_t operands = (device_parameter_bytes(q) - 128) / 24 - OCL_MAX_OPERANDS;
    return operands < OCL_MAX_OPERANDS ? (uint32_t)operands : OCL_MAX_OPERANDS;
}

int32_t ocl_device_info(uint32_t number, tn_device_info *info, tn_msg *msg)
{
    device d;
    int32_t s = device_get(number, &d, msg);
    if (s) return s;
    tn_device_info full = {0};
    query q = {.id = d.id, .msg = msg};
    cl_device_type type = device_number(&q, CL_DEVICE_TYPE);
    uint64_t hash = ocl_hash(ocl_hash(0, d.platform_name, strlen(d.platform_name)), d.name, strlen(d.name));
    snprintf(full.name, sizeof full.name, "%s", d.name);
    snprintf(full.vendor, sizeof full.vendor, "%s", d.vendor);
    snprintf(full.driver, sizeof full.driver, "%s", d.driver);
    snprintf(full.id, sizeof full.id, "opencl-%016llx-%u", (unsigned long long)hash, d.ordinal);
    full.kind = type & CL_DEVICE_TYPE_GPU           ? TN_DEVICE_GPU
                : type & CL_DEVICE_TYPE_CPU         ? TN_DEVICE_CPU
                : type & CL_DEVICE_TYPE_ACCELERATOR ? TN_DEVICE_ACCELERATOR
                                                    : TN_DEVICE_OTHER;
    full.units = (uint32_t)device_number(&q, CL_DEVICE_MAX_COMPUTE_UNITS);
    full.memory = device_number(&q, CL_DEVICE_GLOBAL_MEM_SIZE);
    full.max_buffer = device_number(&q, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    full.alignment = device_alignment(&q);
    full.max_out = device_max_out(&q);
    if (!q.status) tn_answer(info, &full, sizeof full);
    return q.status;
}

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

/* Leaves the number as it is where the option is not given. */
static int32_t read_whole(const char *name, uint32_t *number, tn_msg *msg)
{
    const char *text = ocl_option(name);
    double given = 0;
    if (!text) return TN_OK;
    if (!tn_check_number(text, &given) || strchr(text, '.') || given < 1 || given > 65536)
        return ocl_fail(msg, TN_EINVAL, "option opencl.%s: '%s' is no whole number from 1 to 65536", name, text);
    *number = (uint32_t)given;
    return TN_OK;
}

/* What tunes and watches: a folder, and units that are not there. */
static int32_t read_options(tn_context *context, tn_msg *msg)
{
    const char *sources = ocl_option("sources"), *tile = ocl_option("tile"), *winograd = ocl_option("winograd"),
               *choice = ocl_option("choice");
    uint32_t most = UINT32_MAX;
    int32_t s = ocl_memory_limit(&context->memory, msg);
    if (!s) s = read_whole("units", &context->units, msg);
    if (!s) s = read_whole("group", &most, msg);
    if (s) return s;
    if (most < context->max_group) context->max_group = most;
    context->tile = context->winograd = -1;
    if (tile && !ocl_tile_number(tile, &context->tile))
        return ocl_fail(msg, TN_EINVAL, "option opencl.tile: '%s' is no tile's number", tile);
    if (winograd && !ocl_winograd_number(winograd, &context->winograd))
        return ocl_fail(msg, TN_EINVAL, "option opencl.winograd: '%s' is no tile's number", winograd);
    if (choice && !ocl_choice_read(choice, &context->choice))
        return ocl_fail(msg, TN_EINVAL, "option opencl.choice: there is no kernel '%.80s'", choice);
    if (!sources) return TN_OK;
    if (!ocl_may_dump(sources))
        return ocl_fail(msg, TN_EINVAL, "option opencl.sources: '%s' is no folder that can be written to", sources);
    context->sources = ocl_alloc(strlen(sources) + 1);
    if (!context->sources) return ocl_fail(msg, TN_ENOMEM, "out of memory for an option");
    strcpy(context->sources, sources);
    return TN_OK;
}

/* Kernels for CPUs go to CPUs, and to what is neither a GPU nor has local memory of its own; the option decides. */
static int32_t choose_shape(tn_context *context, query *q, tn_msg *msg)
{
    const char *shape = ocl_option("shape"), *gemm = ocl_option("gemm"), *grain = ocl_option("grain");
    cl_device_type type = device_number(q, CL_DEVICE_TYPE);
    int local = device_number(q, CL_DEVICE_LOCAL_MEM_TYPE) == CL_LOCAL;
    if (q->status) return q->status;
    context->cpu_shape = (type & CL_DEVICE_TYPE_CPU) || (!(type & CL_DEVICE_TYPE_GPU) && !local);
    context->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    context->clblast = !context->is_cpu;
    if (shape && strcmp(shape, "cpu") && strcmp(shape, "gpu"))
        return ocl_fail(msg, TN_EINVAL, "option opencl.shape: '%s' is neither cpu nor gpu", shape);
    if (shape) context->cpu_shape = !strcmp(shape, "cpu");
    if (gemm && strcmp(gemm, "own") && strcmp(gemm, "clblast"))
        return ocl_fail(msg, TN_EINVAL, "option opencl.gemm: '%s' is neither own nor clblast", gemm);
    if (gemm) context->clblast = !strcmp(gemm, "clblast");
    context->tries_clblast = !context->cpu_shape && (!gemm || context->clblast);
    context->grain = 1;
    if (grain && !tn_check_number(grain, &context->grain))
        return ocl_fail(msg, TN_EINVAL, "option opencl.grain: '%s' is no number from 0 on", grain);
    return TN_OK;
}

static void add_identity(tn_context *context, char *text)
{
    if (text) context->identity = ocl_hash(context->identity, text, strlen(text));
    ocl_free(text);
}

/* Which device and driver compiled a program: it is no other's. */
static void identify(tn_context *context, query *q)
{
    static const struct {
        int of_platform;
        cl_uint what;
    } parts[] = {{0, CL_DEVICE_NAME},    {0, CL_DEVICE_VENDOR}, {0, CL_DRIVER_VERSION},
                 {0, CL_DEVICE_VERSION}, {1, CL_PLATFORM_NAME}, {1, CL_PLATFORM_VERSION}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add_identity(context, ask_text(q, parts[i].of_platform, parts[i].what));
}

static void query_features(tn_context *context, query *q)
{
    context->unified = optional_number(q, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    context->has_f64 = optional_number(q, CL_DEVICE_DOUBLE_FP_CONFIG) != 0 || device_has(q, "cl_khr_fp64");
    context->nvidia = device_has(q, "cl_nv_compiler_options");
    context->vector_width = (int)device_number(q, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    context->units = (uint32_t)ocl_max((int64_t)device_number(q, CL_DEVICE_MAX_COMPUTE_UNITS), 1);
    context->max_group = (size_t)ocl_max((int64_t)device_number(q, CL_DEVICE_MAX_WORK_GROUP_SIZE), 1);
    context->local_memory = device_number(q, CL_DEVICE_LOCAL_MEM_SIZE);
    context->max_buffer = device_number(q, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    context->alignment = device_alignment(q);
    context->parameter_bytes = device_parameter_bytes(q);
    identify(context, q);
}

/* Whether many launches can be one: step.cl is for PoCL, whose compiler is clang, on processors whose switch for
 * denormals it knows. */
static int can_step(const tn_context *context)
{
#ifdef __x86_64__
    return context->keeps_itself && context->is_cpu && context->cpu_shape && ocl_step_compiles(context);
#else
    (void)context;
    return 0;
#endif
}

static int32_t find_team(tn_context *context, query *q, const char *vendor, tn_msg *msg)
{
    char *extensions = ask_text(q, 0, CL_DEVICE_EXTENSIONS);
    const int32_t s = extensions ? ocl_team_find(context, vendor, extensions, msg) : q->status;
    ocl_free(extensions);
    return s;
}

/* The driver's context; of PoCL the one that is kept. */
static cl_context open_driver(device *d, cl_int *code)
{
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)d->platform, 0};
    pthread_mutex_lock(&devices.lock);
    cl_context was = d->kept, cl = was ? was : clCreateContext(properties, 1, &d->id, NULL, NULL, code);
    if (cl && d->is_pocl) *code = clRetainContext(cl);
    if (cl && d->is_pocl && !*code) d->kept = cl;
    pthread_mutex_unlock(&devices.lock);
    return *code && was ? NULL : cl;
}

int32_t ocl_context_create(uint32_t number, tn_context **context, tn_msg *msg)
{
    device d;
    cl_int code = CL_SUCCESS;
    int32_t s = device_get(number, &d, msg);
    if (s) return s;
    tn_context *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for a context");
    pthread_mutex_init(&made->lock, NULL);
    pthread_mutex_init(&made->tuned_lock, NULL);
    made->number = number;
    made->device = d.id;
    made->keeps_itself = d.is_pocl;
    query q = {.id = d.id, .platform = d.platform, .msg = msg};
    query_features(made, &q);
    s = q.status ? q.status : choose_shape(made, &q, msg);
    if (!s) s = read_options(made, msg);
    if (!s) s = ocl_defaults_find(made, d.vendor, msg);
    if (!s) {
        made->cl = open_driver(&devices.list[number], &code);
        s = ocl_check(msg, code, "clCreateContext");
    }
    if (!s) {
        made->queue = clCreateCommandQueue(made->cl, d.id, 0, &code);
        s = ocl_check(msg, code, "clCreateCommandQueue");
    }
    if (!s) s = ocl_matrix_find(made, d.vendor, msg);
    if (!s) s = find_team(made, &q, d.vendor, msg);
    made->processors = system_processors();
    if (s) {
        ocl_context_destroy(made);
        return s;
    }
    made->steps = can_step(made);
    *context = made;
    return TN_OK;
}

void ocl_context_destroy(tn_context *context)
{
    if (!context) return;
    ocl_programs_release(context);
    ocl_tuned_release(context);
    if (context->queue) clReleaseCommandQueue(context->queue);
    if (context->cl) clReleaseContext(context->cl);
    pthread_mutex_destroy(&context->lock);
    pthread_mutex_destroy(&context->tuned_lock);
    ocl_free(context->sources);
    ocl_free(context);
}
