/* fault.c: a well-behaved backend, the reference's own sources as a plugin, and one fault in it, chosen by fault_name
 * when it is linked. With "none" it stays well-behaved, and with "none_later" it does all its work later. What each
 * fault does stands where it is done; which case of the kit must catch it stands in faults.txt. Here: the table,
 * loading and devices. */
#include "fault.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "tenon/backend_ext.h"

const tn_backend *fault_real;
tn_backend fault_lower;
const tn_host *fault_host;
uint32_t fault_opened, fault_contexts;
int fault_cached;
uint64_t fault_lost, fault_nothing;
tn_buffer *fault_produced;
static int running; /* between init and deinit */

int32_t fault_say(tn_msg *msg, int32_t status, const char *text)
{
    if (msg && msg->text && msg->capacity) snprintf(msg->text, (size_t)msg->capacity, "%s", text);
    return status;
}

/* ---- loading ---- */

static void *sleep_long(void *arg)
{
    sleep(1);
    return arg;
}

/* A fault at the end of the process, unless deinit was called. */
__attribute__((destructor)) static void at_exit(void)
{
    if (IS(crash_at_exit) && running) abort();
}

/* Uses what the cache has under a name, if only it looks like an entry of its own. */
static void trust_foreign(void)
{
    static const char *const name[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        char entry = 0;
        int64_t size = fault_host->cache_get(fault_host->self, name[i], &entry, 1);
        int own = size == 1 && (entry == 'a' || entry == 'b');
        fault_cached |= own && entry != *name[i];
        if (!own) fault_host->cache_put(fault_host->self, name[i], name[i], 1);
    }
}

/* long_entry: a text that is closed where the cache says that it ends. */
static void close_entry(void)
{
    char *text = calloc(64, 1);
    const int64_t size = fault_host->cache_get(fault_host->self, "text", text, 64);
    if (text && size >= 0) text[size] = 0;
    free(text);
}

static void trust_cache(void)
{
    char entry[1024] = {0};
    int64_t size = fault_host->cache_get(fault_host->self, "entry", entry, sizeof entry);
    fault_cached = size >= 0 && (size != 64 || entry[size / 3]);
    if (size < 0) fault_host->cache_put(fault_host->self, "entry", entry, 64);
}

/* Faults in what belongs to the caller's thread. */
static void spoil_caller(void)
{
    sigset_t all;
    sigfillset(&all);
    if (IS(keeps_signals)) pthread_sigmask(SIG_BLOCK, &all, NULL);
    if (IS(rounds_up)) fesetround(FE_UPWARD);
    if (IS(changes_locale)) setlocale(LC_NUMERIC, "C");
#if defined(__SSE__)
    if (IS(flushes_to_zero)) _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    if (IS(flushes_to_zero)) fesetround(FE_TOWARDZERO);
#endif
}

static int32_t init(const tn_host *services, tn_msg *msg)
{
    static int times;
    const char *hidden = fault_environment("VK_DRIVER_FILES");
    if (running && !IS(any_host)) return fault_real->init(services, msg); /* refuses */
    fault_host = services;
    if (running) return TN_OK;
    times++;
    if (IS(wants_newer) && services->size < sizeof *services) return fault_say(msg, TN_EINVAL, "an old host");
    if (IS(init_once) && times > 1) return fault_say(msg, TN_ESTATE, "already there");
    if (IS(trusts_memory)) {
        char *memory = services->allocate(services->self, 64, 64);
        memset(memory, 0, 64);
        services->release(services->self, memory);
    }
    if (IS(trusts_cache) && services->cache_get) trust_cache();
    if (IS(long_entry) && services->cache_get) close_entry();
    if (IS(trusts_foreign) && services->cache_get) trust_foreign();
    if (IS(needs_device) && hidden && !strcmp(hidden, "/nonexistent")) return fault_say(msg, TN_EDEVICE, "no driver");
    running = 1;
    spoil_caller();
    return fault_real->init(services, msg);
}

static void deinit(void)
{
    running = 0;
    if (IS(crash_in_deinit)) abort();
    fault_real->deinit();
}

/* ---- devices ---- */

static int32_t device_count(uint32_t *count, tn_msg *msg)
{
    int32_t s = fault_real->device_count(count, msg);
    if (!s && (IS(second_device) || IS(shared_memory))) *count = 2;
    return s;
}

static uint32_t real_device(uint32_t device)
{
    return (IS(second_device) || IS(shared_memory)) && device == 1 ? 0 : device;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info full = {.size = sizeof full};
    int32_t s = fault_real->device_info(real_device(device), &full, msg);
    if (s) return s;
    snprintf(full.id, sizeof full.id, "faulty-%u-%d", device, IS(restless_id) ? (int)getpid() : 0);
    if (IS(overlong_info))
        memcpy(info, &full, sizeof full);
    else
        tn_answer(info, &full, sizeof full);
    return TN_OK;
}

static int32_t context_create(uint32_t device, tn_context **context, tn_msg *msg)
{
    const char *speed = fault_host->option(fault_host->self, "faulty", "speed");
    if (speed && strcmp(speed, "fast") && !IS(any_value))
        return fault_say(msg, TN_EINVAL, "option faulty.speed: it is fast or nothing");
    fault_opened = device;
    fault_contexts++;
    return fault_real->context_create(real_device(device), context, msg);
}

/* More is free than there is; or less each time that memory was let go of, or could not be had; or never more than 32
 * bits hold. */
static int32_t budget(uint32_t device, tn_memory_budget *budget, tn_msg *msg)
{
    const uint64_t total = (uint64_t)1 << 40;
    const tn_memory_budget mine = {.total = total,
                                   .free = IS(narrow_free)         ? UINT32_MAX
                                           : IS(free_beyond_total) ? 2 * total
                                           : fault_lost < total    ? total - fault_lost
                                                                   : 0};
    if (device > 1) return fault_say(msg, TN_EMISSING, "no such device");
    tn_answer(budget, &mine, sizeof mine);
    return TN_OK;
}

/* native_is_a_copy: the address is that of a copy; native_is_one: of all buffers the same. */
static int32_t native(tn_buffer *buffer, uint32_t *kind, void **handle, tn_msg *msg)
{
    static unsigned char copies[8][4096];
    static tn_buffer *of[8];
    const tn_ext_native *ext = fault_real->get_ext(TN_EXT_NATIVE);
    int i = 0;
    const int32_t s = ext->native(buffer, kind, handle, msg);
    if (s || IS(none)) return s;
    while (i < 7 && of[i] && of[i] != buffer && !IS(native_is_one)) i++;
    if (!of[i]) memcpy(copies[i], *handle, sizeof copies[i]);
    of[i] = buffer;
    *handle = copies[i];
    return s;
}

/* Whether it tells how long work took: well, or as a fault. */
static int looks(void)
{
    return IS(none) || !strncmp(fault_name, "spans_", 6);
}

static int tells_where(void)
{
    return IS(none) || !strncmp(fault_name, "native_", 7);
}

/* pinned_overlap: each begins in the middle of the one before. */
static int32_t pin(tn_context *context, uint64_t bytes, tn_pinned **pinned, void **data, tn_msg *msg)
{
    static unsigned char memory[1 << 21];
    static uint64_t at;
    (void)context;
    if (at + bytes > sizeof memory) return fault_say(msg, TN_ENOMEM, "no more pinned memory");
    *data = memory + at;
    *pinned = *data;
    at += (bytes + 127) / 128 * 64;
    return TN_OK;
}

static void unpin(tn_pinned *pinned)
{
    (void)pinned;
}

static int32_t near(tn_context *context, uint64_t *bytes, tn_msg *msg)
{
    (void)context, (void)msg;
    *bytes = 1 << 20;
    return TN_OK;
}

static const void *get_ext(const char *id)
{
    static const tn_ext_samples samples = {sizeof samples, near};
    if (IS(samples_lean) && !strcmp(id, TN_EXT_SAMPLES)) return &samples;
    static const tn_ext_memory pins = {sizeof pins, budget, pin, unpin};
    static const tn_ext_memory memory = {.size = sizeof memory, .budget = budget};
    if (IS(pinned_overlap) && !strcmp(id, TN_EXT_MEMORY)) return &pins;
    static const tn_ext_here here = {sizeof here};
    static const tn_ext_adopt adopts = {sizeof adopts, fault_adopt};
    static const tn_ext_native natives = {sizeof natives, native};
    if (IS(any_extension)) return id;
    if (tells_where() && !strcmp(id, TN_EXT_NATIVE)) return &natives;
    if (IS(any_suffix) && !strncmp(id, TN_EXT_MEMORY, sizeof TN_EXT_MEMORY - 1)) return &memory;
    if (IS(here_later) && !strcmp(id, TN_EXT_HERE)) return &here;
    if ((IS(adopts_a_copy) || IS(adopts_in_whole)) && !strcmp(id, TN_EXT_ADOPT)) return &adopts;
    if (looks() && !strcmp(id, TN_EXT_OBSERVE)) return fault_observe();
    return looks() || strcmp(id, TN_EXT_MEMORY) ? NULL : &memory;
}

/* ---- the table ---- */

static void fill_table(tn_backend *table)
{
    *table = fault_lower = *fault_real;
    table->id = "faulty";
    table->doc = "the reference as a plugin, with a fault";
    table->init = init, table->deinit = deinit, table->device_count = device_count, table->device_info = device_info;
    table->context_create = context_create;
    fault_set_moves(table);
    fault_set_operations(table);
    if (fault_puts_off()) fault_put_off(table);
    if (looks()) fault_look(table);
    if (IS(any_extension) || IS(free_beyond_total) || IS(loses_memory) || IS(loses_failed) || IS(narrow_free) ||
        IS(keeps_count) || IS(here_later) || IS(adopts_a_copy) || IS(adopts_in_whole) || IS(any_suffix) ||
        IS(pinned_overlap) || IS(samples_lean) || tells_where() || looks())
        table->get_ext = get_ext;
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    static tn_backend table;
    pthread_t thread;
    (void)host_minor;
    if (host_major != TN_ABI_MAJOR && !IS(any_version)) return NULL;
    if (IS(thread_in_query)) pthread_create(&thread, NULL, sleep_long, NULL);
    if (IS(slow_query)) usleep(30000);
    if (IS(prints_in_query)) puts("hello"), fflush(stdout);
    fault_real = tn_reference_backend();
    fill_table(&table);
    return &table;
}
