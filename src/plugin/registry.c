/* registry.c: which backends there are. */
#include "registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "device_internal.h"
#include "error.h"
#include "given.h"
#include "forked.h"
#include "host.h"
#include "loader.h"
#include "options.h"
#include "probe.h"
#include "start.h"
#include "trust.h"

static struct {
    pthread_mutex_t lock;
    tn_entry **entries; /* the reference is the last */
    uint32_t count, capacity;
    tn_region memory; /* entries and texts */
    int ready;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

void tn_registry_lock(void)
{
    pthread_mutex_lock(&registry.lock);
}

void tn_registry_unlock(void)
{
    pthread_mutex_unlock(&registry.lock);
}

tn_entry *tn_registry_at(size_t i)
{
    return i < registry.count ? registry.entries[i] : NULL;
}

tn_slot *tn_registry_slot(size_t index, tn_entry **entry)
{
    for (uint32_t i = 0; i < registry.count; i++) {
        *entry = registry.entries[i];
        if (index < (*entry)->n_slots) return &(*entry)->slots[index];
        index -= (*entry)->n_slots;
    }
    return NULL;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

/* The last part of the path, without ".so": what to call a file that gives no name of its own. */
static const char *base_name(const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    size_t length = strlen(name);
    if (length > 3 && !strcmp(name + length - 3, ".so")) length -= 3;
    return tn_region_print(&registry.memory, "%.*s", (int)length, name);
}

/* Puts an entry for the file before the reference. */
static tn_status append(const char *file, tn_entry **entry)
{
    TN_TRY(tn_grow(&registry.entries, &registry.capacity, registry.count + 1, sizeof *registry.entries));
    tn_entry *made = tn_region_alloc(&registry.memory, sizeof *made);
    if (!made) return TN_ENOMEM;
    made->file = tn_region_print(&registry.memory, "%s", file);
    made->id = base_name(file);
    if (!made->file || !made->id) return TN_ENOMEM;
    uint32_t place = registry.count++;
    if (place) {
        registry.entries[place] = registry.entries[place - 1];
        place--;
    }
    registry.entries[place] = made;
    *entry = made;
    return TN_OK;
}

static tn_status note_problem(tn_entry *entry, tn_status status, const char *problem)
{
    const char *text = tn_region_print(&registry.memory, "%s", problem);
    if (!text) return TN_ENOMEM;
    entry->problem = text;
    entry->status = status;
    tn_log_line(TN_LOG_WARNING, "backend %s skipped: %s", entry->file, entry->problem);
    return TN_OK;
}

static tn_entry *find_file(const char *file, uint64_t device, uint64_t inode)
{
    for (uint32_t i = 0; i < registry.count; i++) {
        tn_entry *e = registry.entries[i];
        if (e->inode ? e->inode == inode && e->device == device : !strcmp(e->file, file)) return e;
    }
    return NULL;
}

/* `file` is free of links. Without a word for it, the user named it. */
static tn_status add_real(const char *file, const struct stat *info, const tn_trust *trust, tn_entry **entry)
{
    const tn_trust named = tn_trust_named(info);
    tn_reason reason;
    *entry = find_file(file, info->st_dev, info->st_ino);
    if (*entry) {
        tn_log_line(TN_LOG_DEBUG, "backend %s is there already", file);
        return TN_OK;
    }
    TN_TRY(append(file, entry));
    (*entry)->device = info->st_dev;
    (*entry)->inode = info->st_ino;
    (*entry)->own = trust && !trust->named;
    tn_status status = tn_trust_check(trust ? trust : &named, info, &reason);
    if (!status) return TN_OK;
    (*entry)->problem = "is refused"; /* whatever comes of the note */
    return note_problem(*entry, status, reason.text);
}

static tn_status add_problem(const char *file, tn_status status, const char *problem, tn_entry **entry)
{
    *entry = find_file(file, 0, 0);
    if (!*entry) TN_TRY(append(file, entry));
    return (*entry)->problem ? TN_OK : note_problem(*entry, status, problem);
}

tn_status tn_registry_add(const char *file, const tn_trust *trust, tn_entry **entry)
{
    tn_entry *found = NULL;
    struct stat info;
    char *real = realpath(file, NULL);
    tn_status status = real && !stat(real, &info) ? add_real(real, &info, trust, &found)
                       : errno == ENOMEM          ? TN_NO_MEMORY(0)
                                                  : add_problem(file, TN_EMISSING, strerror(errno), &found);
    free(real);
    if (!status && entry) *entry = found;
    return status;
}

static tn_status on_found(const char *file, const char *reason, const tn_trust *trust)
{
    tn_entry *entry;
    return reason ? add_problem(file, TN_EMISSING, reason, &entry) : tn_registry_add(file, trust, NULL);
}

static tn_status add_reference(void)
{
    tn_entry *entry;
    TN_TRY(append("built in", &entry));
    entry->backend = tn_built_in();
    entry->id = entry->backend->id;
    entry->host = tn_host_for(entry->id);
    return TN_OK;
}

tn_status tn_registry_ready(void)
{
    if (registry.ready) return TN_OK;
    TN_TRY(tn_options_of_environment());
    if (!registry.count) TN_TRY(add_reference());
    TN_TRY(tn_search(on_found));
    registry.ready = 1;
    return TN_OK;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static int is_open_question(const tn_entry *e)
{
    return !e->backend && !e->problem && !e->loading;
}

/* Who else has the id that `mine` turns out to have: a file that was loaded before, or one that is called so, which
 * comes before others. */
static tn_status find_owner(const tn_entry *mine, const char *id, const tn_entry **owner)
{
    int is_called_so = !strcmp(mine->id, id), passed = 0;
    for (uint32_t i = 0; i < registry.count; i++) {
        tn_entry *e = registry.entries[i];
        passed |= e == mine;
        if (is_open_question(e) && !strcmp(e->id, id) && !(is_called_so && passed)) TN_TRY(tn_registry_load(e));
        if (!e->backend || e->problem || strcmp(e->id, id)) continue;
        *owner = e;
        break;
    }
    return TN_OK;
}

/* Lets a process of its own go first. The reference is no file. */
static tn_status try(tn_entry *e, uint32_t depth)
{
    tn_reason reason = {""};
    if (e->problem || e->tried >= depth || !e->inode) return TN_OK;
    tn_status status = tn_probe(e->file, depth, e->own, &reason);
    if (status && !reason.text[0]) return status;
    if (status) TN_TRY(note_problem(e, status, reason.text));
    e->tried = depth;
    return TN_OK;
}

static tn_status load(tn_entry *e)
{
    const tn_backend *backend = NULL;
    const tn_entry *owner = NULL;
    tn_reason reason = {""};
    TN_TRY(try(e, TN_PROBE_LOAD));
    if (e->problem) return TN_OK;
    tn_status status = tn_load_table(e->file, &backend, &reason);
    if (status) return note_problem(e, status, reason.text);
    TN_TRY(find_owner(e, backend->id, &owner));
    if (owner) {
        tn_because(&reason, TN_OK, "has the id '%s', as %s, which comes first", owner->id, owner->file);
        return note_problem(e, TN_OK, reason.text);
    }
    e->backend = backend;
    e->id = backend->id;
    e->host = tn_host_for(e->id);
    return TN_OK;
}

tn_status tn_registry_load(tn_entry *e)
{
    if (!is_open_question(e)) return TN_OK;
    e->loading = 1;
    tn_status status = load(e);
    e->loading = 0;
    return status;
}

/* ---- forking -----------------------------------------------------------------------------------------------------
 *
 * In the child there is one thread. A backend that had begun to work, or was about to in another thread, answers there
 * with an error to all that its devices are asked; one that had not can be started. The reference goes on. */

static void leave(tn_entry *e)
{
    e->backend = &e->forked;
    for (uint32_t d = 0; d < e->n_slots; d++) {
        if (e->slots[d].open) e->slots[d].open->backend = e->backend;
        e->slots[d].open = NULL;
    }
}

static void in_child(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    int busy = pthread_mutex_trylock(&registry.lock);
    registry.lock = fresh;
    tn_options_after_fork();
    tn_log_after_fork();
    for (uint32_t i = 0; i < registry.count; i++) {
        tn_entry *e = registry.entries[i];
        if (e->forked.size && (e->started || busy)) leave(e);
    }
}

/* Before the backend starts. */
static tn_status prepare_fork(tn_entry *e)
{
    static int watched;
    if (!e->inode) return TN_OK;
    e->forked = tn_forked_table(e->backend);
    if (!watched && pthread_atfork(NULL, NULL, in_child)) return TN_NO_MEMORY(0);
    watched = 1;
    return TN_OK;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

tn_status tn_registry_start(tn_entry *e)
{
    tn_reason reason = {""};
    TN_TRY(try(e, TN_PROBE_START));
    TN_TRY(tn_registry_load(e));
    if (e->started || e->problem) return TN_OK;
    TN_TRY(prepare_fork(e));
    tn_status status = tn_start(e, &registry.memory, &reason);
    if (status && !reason.text[0]) return status;
    e->started = !status;
    return status ? note_problem(e, status, reason.text) : TN_OK;
}

tn_status tn_registry_start_all(void)
{
    TN_TRY(tn_registry_ready());
    for (uint32_t i = 0; i < registry.count; i++) TN_TRY(tn_registry_start(registry.entries[i]));
    return TN_OK;
}

/* ---- the end, and the public list -------------------------------------------------------------------------------- */

uint32_t tn_registry_close(void)
{
    uint32_t open = 0;
    tn_registry_lock();
    for (uint32_t i = 0; i < registry.count; i++)
        for (uint32_t d = 0; d < registry.entries[i]->n_slots; d++) open += registry.entries[i]->slots[d].open != NULL;
    for (uint32_t i = 0; !open && i < registry.count; i++)
        if (registry.entries[i]->started) registry.entries[i]->backend->deinit();
    if (!open) {
        tn_free(registry.entries);
        registry.entries = NULL;
        registry.count = registry.capacity = 0;
        registry.ready = 0;
        tn_region_free(&registry.memory);
    }
    tn_registry_unlock();
    if (!open) tn_options_clear();
    return open;
}

/* A file whose id was taken has a problem, but to ask for it is no error. */
tn_status tn_backend_load(const char *path)
{
    TN_GIVEN(path);
    tn_entry *entry = NULL;
    TN_REQUIRE(path && *path, TN_EINVAL, "no file of a backend was named");
    tn_registry_lock();
    tn_status status = tn_registry_ready();
    if (!status) status = tn_registry_add(path, NULL, &entry);
    if (!status) status = tn_registry_load(entry);
    if (!status && entry->status) status = tn_fail(entry->status, "backend %s: %s", path, entry->problem);
    tn_registry_unlock();
    return status;
}

int tn_backend_at(size_t index, tn_backend_report *report)
{
    if (!report) return 0;
    tn_registry_lock();
    tn_entry *e = tn_registry_start_all() ? NULL : tn_registry_at(index);
    if (e) {
        const tn_backend *b = e->backend;
        *report = (tn_backend_report){.id = e->id,
                                      .version = b && b->version ? b->version : "",
                                      .doc = b && b->doc ? b->doc : "",
                                      .file = e->file,
                                      .problem = e->problem,
                                      .devices = e->n_slots,
                                      .status = e->problem ? e->status : TN_OK};
    }
    tn_registry_unlock();
    return e != NULL;
}

static tn_status set_option(const char *backend, const char *key, const char *value)
{
    for (uint32_t i = 0; i < registry.count; i++)
        if (registry.entries[i]->started && !strcmp(registry.entries[i]->id, backend))
            return tn_fail(TN_ESTATE, "option '%s' of %s comes too late: the backend is in use", key, backend);
    return tn_option_set(backend, key, value);
}

tn_status tn_backend_option(const char *backend, const char *key, const char *value)
{
    TN_GIVEN(backend, key, value);
    TN_REQUIRE(*backend && *key, TN_EINVAL, "an option needs a backend, a key and a value");
    tn_registry_lock();
    const tn_status status = set_option(backend, key, value);
    tn_registry_unlock();
    return status;
}

tn_status tn_backend_options(const char *text)
{
    TN_GIVEN(text);
    char *copy = tn_strdup(text), *at = copy, *backend, *key, *value;
    tn_status status = copy ? TN_OK : TN_ENOMEM;
    while (!status && *at)
        status = tn_option_cut(&at, &backend, &key, &value)
                     ? tn_backend_option(backend, key, value)
                     : tn_fail(TN_EINVAL, "options are BACKEND.KEY=VALUE,..., not '%s'", text);
    tn_free(copy);
    return status;
}
