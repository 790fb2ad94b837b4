/* cpu.c: the backend's table, its one device, and the choice of instruction set and threads. */
#include "../system.h"
#include "cpu.h"
#include "library.h"
#include "matrix.h"

#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_THREADS 1024

const tn_host *cpu_host;
const cpu_isa *cpu_code;

/* ---- memory and messages ----------------------------------------------------------------------------------------- */

void *cpu_allocate(uint64_t bytes)
{
    void *memory = cpu_host->allocate(cpu_host->self, bytes, CPU_ALIGN);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void cpu_release(void *memory)
{
    if (memory) cpu_host->release(cpu_host->self, memory);
}

int32_t cpu_fail(tn_msg *msg, int32_t status, const char *format, ...)
{
    if (!msg || !msg->text || !msg->capacity) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(msg->text, msg->capacity, format, args);
    va_end(args);
    return status;
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

#define ISA(title, isa)                                                                                                \
    {                                                                                                                  \
        .name = title, .rows = &cpu_rows_##isa, .fold = cpu_fold_##isa,                                                \
        .gemm = {[CPU_F32] = &cpu_gemm_f32_##isa, [CPU_F64] = &cpu_gemm_f64_##isa}, .dots = &cpu_dots_f32_##isa,       \
        .attend = &cpu_attend_##isa, .norm = {[CPU_F32] = &cpu_norm_f32_##isa, [CPU_F64] = &cpu_norm_f64_##isa},       \
        .gather = {[CPU_F32] = cpu_gather_f32_##isa, [CPU_F64] = cpu_gather_f64_##isa},                                \
        .pixel = {[CPU_F32] = &cpu_pixel_f32_##isa, [CPU_F64] = &cpu_pixel_f64_##isa},                                 \
        .plane = {[CPU_F32] = &cpu_plane_f32_##isa, [CPU_F64] = &cpu_plane_f64_##isa},                                 \
        .band = {[CPU_F32] = &cpu_band_f32_##isa, [CPU_F64] = &cpu_band_f64_##isa}, .window = &cpu_window_f32_##isa,   \
        .pool = {[CPU_F32] = &cpu_pool_f32_##isa, [CPU_F64] = &cpu_pool_f64_##isa}, .chain = &cpu_chain_f32_##isa,     \
    }

static const char *option(const char *key)
{
    return cpu_host->option(cpu_host->self, "cpu", key);
}

static const char *const sets[] = {"base", "avx2", "avx512", "avx512_bf16", "amx", "amx_model", NULL};

static int place_of(const char *set)
{
    int i = 0;
    while (sets[i] && strcmp(sets[i], set)) i++;
    return i;
}

/* The option "isa" asks for this instruction set, for a wider one or for none. */
static int allows(const char *wish, const char *set)
{
    return !wish || place_of(wish) >= place_of(set);
}

/* The widest instruction set that the processor and the system have; "isa" asks for a narrower one. */
static const cpu_isa *choose_isa(void)
{
    static const cpu_isa base = ISA("base", base);
#ifdef CPU_X86
    static const cpu_isa avx2 = ISA("avx2", avx2), avx512 = ISA("avx512", avx512);
    const char *wish = option("isa");
    __builtin_cpu_init();
    const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#ifdef CPU_AMX_MODEL
    static cpu_isa model = ISA("amx_model", avx512);
    model.matrix = cpu_matrix_amx_model, model.conv = cpu_matrix_conv_amx_model;
    if (has_avx512 && wish && !strcmp(wish, "amx_model")) return &model;
#endif
#ifdef CPU_AMX
    static cpu_isa amx = ISA("amx", avx512); /* but for products */
    amx.matrix = cpu_matrix_amx, amx.conv = cpu_matrix_conv_amx;
    if (has_avx512 && allows(wish, "amx") && cpu_matrix_open()) return &amx;
#endif
#ifdef CPU_AVX512_BF16
    static cpu_isa bf16 = ISA("avx512_bf16", avx512);
    bf16.matrix = cpu_matrix_avx512_bf16, bf16.conv = cpu_matrix_conv_avx512_bf16;
    if (has_avx512 && allows(wish, "avx512_bf16") && __builtin_cpu_supports("avx512bf16")) return &bf16;
#endif
    if (has_avx512 && allows(wish, "avx512")) return &avx512;
    if (has_avx2 && allows(wish, "avx2")) return &avx2;
#endif
    return &base;
}

/* The option "threads", 0 for none; check_options says whether it makes sense. */
static long asked_threads(void)
{
    const char *wish = option("threads");
    char *end = NULL;
    const long asked = wish ? strtol(wish, &end, 10) : 0;
    return wish && (end == wish || *end) ? -1 : asked;
}

/* The option's, else OpenMP's number, but no more than the cores that this process may use. */
static int choose_threads(void)
{
    const long asked = asked_threads();
    if (asked > 0) return asked < MOST_THREADS ? (int)asked : MOST_THREADS;
    const int threads = omp_get_max_threads(), cores = omp_get_num_procs(); /* of the affinity */
    return threads < cores ? threads : cores;
}

static int32_t init(const tn_host *host, tn_msg *msg)
{
    if (cpu_host) return cpu_fail(msg, TN_ESTATE, "in use by another copy of the library in this process");
    if (!host || !TN_HAS(tn_host, host, parallel_for)) return cpu_fail(msg, TN_EINVAL, "the host's table is too small");
    cpu_host = host;
    cpu_code = choose_isa();
    cpu_library_open();
    return TN_OK;
}

static void deinit(void)
{
    cpu_host = NULL;
}

static int32_t device_count(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 1;
    return TN_OK;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    if (device != 0) return cpu_fail(msg, TN_EMISSING, "cpu: there is no device %u", device);
    tn_device_info own = {.kind = TN_DEVICE_CPU, .alignment = CPU_ALIGN, .id = "cpu"};
    system_processor_name(own.name, sizeof own.name);
    own.units = (uint32_t)choose_threads();
    snprintf(own.driver, sizeof own.driver, "%s, %u threads", cpu_code->name, own.units);
    own.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    own.max_buffer = own.memory;
    tn_answer(info, &own, sizeof own);
    return TN_OK;
}

static int is_one_of(const char *value, const char *const known[])
{
    while (*known && strcmp(*known, value)) known++;
    return *known != NULL;
}

/* Asks for each option, and refuses what makes no sense. "grain", "own" and "near" are kept by the context. */
static int32_t check_options(tn_context *context, tn_msg *msg)
{
    static const char *const switches[] = {"0", "1", NULL};
    const char *grain = option("grain"), *own = option("own"), *isa = option("isa"), *threads = option("threads");
    const char *near = option("near");
    double bytes = (double)system_second_cache();
    context->grain = 1;
    context->own = own && *own == '1';
    if (grain && !tn_check_number(grain, &context->grain))
        return cpu_fail(msg, TN_EINVAL, "option cpu.grain: '%s' is no number from 0 on", grain);
    if (near && (!tn_check_number(near, &bytes) || strchr(near, '.')))
        return cpu_fail(msg, TN_EINVAL, "option cpu.near: '%s' is no whole number of bytes", near);
    context->near = bytes < 0x1p40 ? (uint64_t)bytes : (uint64_t)1 << 40;
    if (own && !is_one_of(own, switches))
        return cpu_fail(msg, TN_EINVAL, "option cpu.own: '%s' is neither 0 nor 1", own);
    if (isa && !is_one_of(isa, sets))
        return cpu_fail(msg, TN_EINVAL, "option cpu.isa: '%s' is not base, avx2, avx512, avx512_bf16, amx or amx_model",
                        isa);
    if (threads && (asked_threads() < 1 || asked_threads() > MOST_THREADS))
        return cpu_fail(msg, TN_EINVAL, "option cpu.threads: '%s' is no whole number from 1 to %d", threads,
                        MOST_THREADS);
    return TN_OK;
}

static int32_t context_create(uint32_t device, tn_context **context, tn_msg *msg)
{
    if (device != 0) return cpu_fail(msg, TN_EMISSING, "cpu: there is no device %u", device);
    tn_context *c = cpu_allocate(sizeof *c);
    if (!c) return cpu_fail(msg, TN_ENOMEM, "out of memory for a context");
    c->threads = choose_threads();
    const int32_t s = check_options(c, msg);
    if (s) {
        cpu_release(c);
        return s;
    }
    *context = c;
    return TN_OK;
}

static void context_destroy(tn_context *context)
{
    cpu_release(context);
}

static const void *get_ext(const char *id)
{
    if (!strcmp(id, TN_EXT_HERE)) return &cpu_here;
    if (!strcmp(id, TN_EXT_ADOPT)) return &cpu_adopt;
    if (!strcmp(id, TN_EXT_NATIVE)) return &cpu_native;
    if (!strcmp(id, TN_EXT_OBSERVE)) return &cpu_observe;
    if (!strcmp(id, TN_EXT_SAMPLES)) return &cpu_samples;
    return strcmp(id, TN_EXT_MEMORY) ? NULL : &cpu_memory;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const tn_backend table = {
    .size = sizeof table,
    .abi_major = TN_ABI_MAJOR,
    .abi_minor = TN_ABI_MINOR,
    .id = "cpu",
    .version = "0.1.0",
    .doc = "the processor's cores",
    .init = init,
    .deinit = deinit,
    .device_count = device_count,
    .device_info = device_info,
    .context_create = context_create,
    .context_destroy = context_destroy,
    .buffer_create = cpu_buffer_create,
    .buffer_destroy = cpu_buffer_destroy,
    .queue_create = cpu_queue_create,
    .queue_destroy = cpu_queue_destroy,
    .queue_flush = cpu_queue_flush,
    .queue_sync = cpu_queue_sync,
    .queue_stats = cpu_queue_stats,
    .write = cpu_write,
    .read = cpu_read,
    .copy = cpu_copy,
    .fill = cpu_fill,
    .event_create = cpu_event_create,
    .event_destroy = cpu_event_destroy,
    .event_record = cpu_event_record,
    .event_wait = cpu_event_wait,
    .event_sync = cpu_event_sync,
    .op_prepare = cpu_op_prepare,
    .op_release = cpu_op_release,
    .op_run = cpu_op_run,
    .get_ext = get_ext,
};

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_minor;
    return host_major == TN_ABI_MAJOR ? &table : NULL;
}
