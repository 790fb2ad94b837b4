/* loader.c: loads one file and checks the table that it answers, before anything of it is used. */
#include "loader.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "plain.h"
#include "text.h"

#define MAX_ID 31

/* The size of the first version's table: all up to the optional get_ext. */
#define FIRST_SIZE offsetof(tn_backend, get_ext)

/* The functions without which a host can do nothing. */
#define REQUIRED(X)                                                                                                    \
    X(init)                                                                                                            \
    X(deinit)                                                                                                          \
    X(device_count)                                                                                                    \
    X(device_info)                                                                                                     \
    X(context_create)                                                                                                  \
    X(context_destroy)                                                                                                 \
    X(buffer_create)                                                                                                   \
    X(buffer_destroy)                                                                                                  \
    X(queue_create)                                                                                                    \
    X(queue_destroy) X(queue_flush) X(queue_sync) X(queue_stats) X(write) X(read) X(copy) X(fill) X(event_create)      \
        X(event_destroy) X(event_record) X(event_wait) X(event_sync) X(op_prepare) X(op_release) X(op_run)

tn_status tn_because(tn_reason *reason, tn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tn_vsnprintf(reason->text, sizeof reason->text, format, args);
    va_end(args);
    tn_text_clean(reason->text, sizeof reason->text);
    return status;
}

int tn_id_well_formed(const char *id)
{
    size_t length = id ? strnlen(id, MAX_ID + 1) : 0;
    size_t good = length ? strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_") : 0;
    return length && length <= MAX_ID && good == length && strcmp(id, "auto") && strcmp(id, "tenon");
}

/* The version stands in the same place in every version of the table, the size of which may differ. */
tn_status tn_check_table(const tn_backend *backend, tn_reason *reason)
{
    if (backend->size < offsetof(tn_backend, id))
        return tn_because(reason, TN_EFORMAT, "has a table of %llu bytes; %zu are the least",
                          (unsigned long long)backend->size, FIRST_SIZE);
    if (backend->abi_major != TN_ABI_MAJOR)
        return tn_because(reason, TN_EUNSUPPORTED, "is made for ABI version %u.%u; this library has %u.%u",
                          backend->abi_major, backend->abi_minor, TN_ABI_MAJOR, TN_ABI_MINOR);
    if (backend->size < FIRST_SIZE)
        return tn_because(reason, TN_EFORMAT, "has a table of %llu bytes; %zu are the least",
                          (unsigned long long)backend->size, FIRST_SIZE);
    if (!tn_id_well_formed(backend->id))
        return tn_because(reason, TN_EFORMAT, "has the id '%.*s'; an id is 1 to %d of a-z, 0-9, '-' and '_'", MAX_ID,
                          backend->id ? backend->id : "", MAX_ID);
#define CHECK(function)                                                                                                \
    if (!backend->function) return tn_because(reason, TN_EFORMAT, "lacks the function " #function);
    REQUIRED(CHECK)
#undef CHECK
    return TN_OK;
}

/* dlerror often begins with the file, which the reader knows. */
static tn_status not_loaded(const char *file, tn_reason *reason)
{
    const char *text = dlerror();
    size_t length = strlen(file);
    if (text && !strncmp(text, file, length) && text[length] == ':')
        text += length + 1 + strspn(text + length + 1, " ");
    return tn_because(reason, TN_EFORMAT, "cannot be loaded: %s", text ? text : "no reason given");
}

tn_status tn_load_symbol(const char *file, const char *symbol, const char *kind, void **found, tn_reason *reason)
{
    TN_TRY(tn_elf_check(file, reason));
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return not_loaded(file, reason);
    *found = dlsym(library, symbol);
    return *found ? TN_OK : tn_because(reason, TN_EFORMAT, "exports no %s: it is no %s", symbol, kind);
}

tn_status tn_load_query(const char *file, tn_backend_query_fn **query, tn_reason *reason)
{
    return tn_load_symbol(file, "tn_backend_query", "backend", (void **)query, reason);
}

tn_status tn_ask_table(tn_backend_query_fn *query, const tn_backend **backend, tn_reason *reason)
{
    const tn_backend *table = query(TN_ABI_MAJOR, TN_ABI_MINOR);
    if (!table)
        return tn_because(reason, TN_EUNSUPPORTED, "cannot work with ABI version %u.%u, which this library has",
                          TN_ABI_MAJOR, TN_ABI_MINOR);
    TN_TRY(tn_check_table(table, reason));
    *backend = table;
    return TN_OK;
}

tn_status tn_load_table(const char *file, const tn_backend **backend, tn_reason *reason)
{
    tn_backend_query_fn *query = NULL;
    TN_TRY(tn_load_query(file, &query, reason));
    return tn_ask_table(query, backend, reason);
}
